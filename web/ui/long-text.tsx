/** Text of any length and origin, shown as it is. Long ones are cut, because a few megabytes of output would freeze the page. */
import { useState } from 'react'
import { size } from '../format.ts'

const SHOWN = 4_000
/** From this length on a text may scroll. */
const SCROLLS = 300
/** Beyond this even "show all" is too much for a browser; the command line shows the rest. */
const MOST = 2_000_000

export function LongText({ text, shown = SHOWN }: { text: string; shown?: number }) {
  const [all, setAll] = useState(false)
  const cut = all ? MOST : shown
  return (
    <>
      <pre className="text" tabIndex={text.length > SCROLLS ? 0 : undefined}>
        {text.length > cut ? text.slice(0, cut) : text}
      </pre>
      {text.length > cut && <More length={text.length} all={all} show={() => setAll(true)} />}
    </>
  )
}

export function More({ length, all, show }: { length: number; all: boolean; show: () => void }) {
  if (all) return <p className="dim">Cut at {size(MOST)}; the whole text is on the command line: npx banyan logs</p>
  return (
    <button type="button" className="quiet small" onClick={show}>
      Show all ({size(length)})
    </button>
  )
}
