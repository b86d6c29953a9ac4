/** A task as the server tells it, for programs and for reports of faults. */
import { useMemo } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { pathOf } from '../../api.ts'
import type { TaskState } from '../../data/data.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { detail } from '../../words/detail.ts'
import { kit } from '../../words/kit.ts'
import type { DetailAddress } from './address.ts'
import { JsonTree } from './json-tree.tsx'
import type { History } from './use-history.ts'

const words = detail.raw
const PARTS = ['task', 'messages', 'facts'] as const
type RawPart = (typeof PARTS)[number]

export function Raw({ taskId, state, history, address }: { taskId: string; state: TaskState; history: History; address: DetailAddress }) {
  const toast = useToast()
  const part: RawPart = PARTS.find((one) => one === address.search.raw) ?? 'task'
  const value = useMemo(
    () => (part === 'task' ? state.task : part === 'messages' ? state.messages : history.facts),
    [part, state.task, state.messages, history.facts],
  )
  const path = pathOf({ task: ROUTES.task, messages: ROUTES.messages, facts: ROUTES.taskFacts }[part].path, { id: taskId })
  const copy = async (text: string) => {
    try {
      await navigator.clipboard.writeText(text)
      toast(kit.copied)
    } catch {
      toast(kit.notCopied, { tone: 'bad' }) // not allowed, or served over plain HTTP
    }
  }
  return (
    <section className="stack" aria-label={detail.tab.raw}>
      <div className="timeline-tools">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a line of tools everywhere */}
        <div className="kind-filter" role="group" aria-label={words.what}>
          {PARTS.map((one) => (
            <button key={one} type="button" className="chip" aria-pressed={part === one} onClick={() => address.set({ raw: one })}>
              {words[one]}
            </button>
          ))}
        </div>
        <Button small onClick={() => void copy(JSON.stringify(value, null, 2))}>
          {words.copy}
        </Button>
        <Button small onClick={() => void copy(curlOf(`${location.origin}${path}`))}>
          {words.curl}
        </Button>
        <Button small onClick={() => void copy(`${location.origin}/t/${encodeURIComponent(taskId)}`)}>
          {words.link}
        </Button>
        <a className="button small" href={path} download={`${part}.json`}>
          {words.download}
        </a>
      </div>
      <JsonTree key={part} value={value} />
    </section>
  )
}

/** The token stays out of it: a shell's history and a chat are no places for one. */
const curlOf = (url: string): string => `curl -H "Authorization: Bearer $ADMIN_TOKEN" '${url.replaceAll("'", '%27')}'`
