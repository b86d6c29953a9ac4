/** What a goal came to: its words, what proves them, and the files to take along. */
import { Download, FileText } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import { pathOf } from '../../api.ts'
import { useTask } from '../../data/use-task.ts'
import { preview, size } from '../../format.ts'
import { useRead } from '../../read.ts'
import { Link } from '../../ui/link.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { Drawn } from '../../ui/shape.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { tree } from '../../words/tree.ts'
import { changePath } from '../evolution/paths.ts'
import { FoldButton } from './goal-head.tsx'

const words = tree.head
const FILES = 40

export function ResultCard({ treeId, open, set }: { treeId: string; open: boolean; set: (open: boolean) => void }) {
  const { task, loaded } = useTask(treeId)
  if (!loaded || !task) return <Skeleton lines={1} label={words.result} />
  const text = task.result?.trim() || task.note || words.noResult
  return (
    <section className={`result-card ${task.status === 'done' ? 'good' : 'bad'}`} aria-label={words.resultOfGoal}>
      <div className="result-line">
        <strong>{words.result}</strong>
        {!open && <span className="result-preview">{preview(text, 240)}</span>}
        <FoldButton open={open} set={set} />
      </div>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
        <div className="result-body" tabIndex={0}>
          <Markdown text={text} />
          {task.evidence.length > 0 && (
            <div>
              <h2>{words.evidence}</h2>
              <ul className="result-list">
                {task.evidence.map((one) => (
                  <li key={JSON.stringify(one)}>
                    <span className={`status tone-${one.ok ? 'good' : 'bad'}`}>
                      <span className="shape" role="img" aria-label={one.ok ? words.checked : words.notChecked}>
                        <Drawn shape={one.ok ? '✓' : '✕'} />
                      </span>
                    </span>
                    {one.kind === 'file' && <code>{one.path}</code>}
                    {one.kind === 'command' && (
                      <>
                        <code>{one.command}</code> <span className="dim">{words.exit(one.exitCode)}</span>
                      </>
                    )}
                    {one.kind === 'change' && <Link to={changePath(one.id)}>{one.title ?? one.id}</Link>}
                    {one.kind === 'link' && <code>{one.url}</code>}
                    {one.problem && <span className={one.ok ? 'dim' : 'tone-bad'}>{one.problem}</span>}
                  </li>
                ))}
              </ul>
            </div>
          )}
          <Files treeId={treeId} />
        </div>
      )}
    </section>
  )
}

function Files({ treeId }: { treeId: string }) {
  const { data } = useRead(ROUTES.treeFiles, { params: { id: treeId }, query: { depth: '4' } })
  const files = data?.items.filter((item) => item.kind === 'file') ?? []
  if (files.length === 0) return null
  return (
    <div>
      <h2>{words.files(files.length)}</h2>
      <ul className="result-list">
        {files.slice(0, FILES).map((file) => (
          <li key={file.path}>
            <FileText aria-hidden="true" />
            <a href={pathOf(ROUTES.treeFiles.path, { id: treeId }, { path: file.path })} download aria-label={words.download(file.path)}>
              {file.path}
            </a>
            <span className="dim">{size(file.bytes ?? 0)}</span>
            <Download aria-hidden="true" />
          </li>
        ))}
      </ul>
      {(files.length > FILES || !data?.complete) && <p className="dim">{words.notAll}</p>}
    </div>
  )
}
