/** What a command wrote, with its colours. Long output is cut, because a few megabytes would freeze the page. */
import { useMemo, useState } from 'react'
import { ansiRuns } from '../ansi.ts'
import { More } from './long-text.tsx'

const SHOWN = 20_000
const MOST = 500_000

export function AnsiText({ text }: { text: string }) {
  const [all, setAll] = useState(false)
  const cut = all ? MOST : SHOWN
  const runs = useMemo(() => ansiRuns(text.slice(0, cut)), [text, cut])
  return (
    <>
      <pre className="text ansi">
        {runs.map((run, i) =>
          run.looks.length === 0 ? (
            run.text
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: runs have no other name and are never moved
            <span key={i} className={run.looks.join(' ')}>
              {run.text}
            </span>
          ),
        )}
      </pre>
      {text.length > cut && <More length={text.length} all={all} show={() => setAll(true)} />}
    </>
  )
}
