/** A tool with other arguments, run as a goal of its own: what an agent did is not changed by trying. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useWrite } from '../../read.ts'
import { treePath } from '../../route.ts'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Link } from '../../ui/link.tsx'
import { Fault } from '../../ui/notice.tsx'
import { detail } from '../../words/detail.ts'

const words = detail.call
const WAIT_SECONDS = 20

export function TryCall({ tool, input, close }: { tool: string; input: unknown; close: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(input, null, 2))
  const [bad, setBad] = useState(false)
  const run = useWrite(ROUTES.tryTool)
  const send = () => {
    const given = objectIn(text)
    setBad(given === null)
    if (given) run.mutate({ params: { id: tool }, body: { input: given, waitSeconds: WAIT_SECONDS } })
  }
  const tried = run.data
  return (
    <Dialog sends open setOpen={(open) => !open && close()} title={words.againTitle(tool)} description={words.againAbout} size="large">
      <div className="stack">
        <CodeEditor label={words.arguments} value={text} onChange={setText} language="json" most={18} />
        {bad && <Fault>{words.badJson}</Fault>}
        {run.error && <Fault>{run.error.message}</Fault>}
        <div className="actions">
          <Button look="primary" disabled={run.isPending} onClick={send}>
            {words.run}
          </Button>
        </div>
        {tried && (
          <div className="stack" role="status">
            <p>
              {tried.state === 'ended' ? (tried.ok ? words.tried.ok : words.tried.bad) : words.tried[tried.state]}{' '}
              <Link to={treePath(tried.treeId)}>{words.seeRun}</Link>
            </p>
            {tried.text !== null && <AnsiText text={tried.text} />}
          </div>
        )}
      </div>
    </Dialog>
  )
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null // told beside the editor
  }
}
