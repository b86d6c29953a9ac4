/** The changed lines of one file with their numbers, from what `git diff` wrote. Colour never says more than the sign does. */
import { useState } from 'react'
import type { FilePatch, PatchLine } from '../patch.ts'
import { visibleCode } from '../visible.ts'
import { kit } from '../words/kit.ts'
import { Button } from './button.tsx'

/** Lines that are drawn at first; many thousands would make the page slow. */
const SHOWN = 1_500
const MOST = 20_000
/** Pieces beyond this are drawn when they come into view. */
const LONG = 200

export function PatchView({ patch, label }: { patch: FilePatch; label: string }) {
  const [all, setAll] = useState(false)
  if (patch.binary) return <p className="empty">{kit.binary}</p>
  if (patch.hunks.length === 0) return <p className="empty">{kit.noLines}</p>
  const total = patch.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)
  let room = all ? MOST : SHOWN
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and keys must be able to */}
      <section className="patch" aria-label={label} tabIndex={0}>
        {patch.hunks.map((hunk) => {
          const lines = hunk.lines.slice(0, Math.max(0, room))
          room -= lines.length
          if (lines.length === 0) return null
          return (
            <div key={hunk.from} className={lines.length > LONG ? 'patch-hunk is-long' : 'patch-hunk'}>
              <p className="patch-head">{visibleCode(hunk.about) || kit.line(hunk.from)}</p>
              {lines.map((line) => (
                <Line key={`${line.before} ${line.after}`} line={line} />
              ))}
            </div>
          )
        })}
      </section>
      {total > SHOWN && !all && (
        <Button small onClick={() => setAll(true)}>
          {kit.allLines(Math.min(total, MOST))}
        </Button>
      )}
    </>
  )
}

function Line({ line }: { line: PatchLine }) {
  const { sign, text, before, after } = line
  const said = sign === '+' ? kit.lineAdded : sign === '-' ? kit.lineRemoved : ''
  return (
    <div className={`patch-line ${sign === '+' ? 'diff-new' : sign === '-' ? 'diff-old' : ''}`}>
      <span className="patch-n" aria-hidden="true">
        {before}
      </span>
      <span className="patch-n" aria-hidden="true">
        {after}
      </span>
      <span className="diff-sign" aria-hidden="true">
        {sign}
      </span>
      <code>
        {said && <span className="hidden">{said} </span>}
        {visibleCode(text)}
      </code>
    </div>
  )
}
