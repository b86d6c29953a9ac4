/** A difference that the server wrote as lines with + and - in front. Colour never says more than the sign does. */
import { kit } from '../words/kit.ts'

export function LineDiff({ text, label }: { text: string; label: string }) {
  const lines = text.split('\n')
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and keys must be able to
    <section className="line-diff" aria-label={label} tabIndex={0}>
      {lines.map((line, i) => {
        const sign = line[0] === '+' || line[0] === '-' ? line[0] : ' '
        const rest = sign === ' ' ? line : line.slice(1).replace(/^ /, '')
        const said = sign === '+' ? kit.lineAdded : sign === '-' ? kit.lineRemoved : ''
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name and do not move
          <div key={i} className={`diff-line ${sign === '+' ? 'diff-new' : sign === '-' ? 'diff-old' : ''}`}>
            <span className="diff-sign" aria-hidden="true">
              {sign}
            </span>
            <code>
              {said && <span className="hidden">{said} </span>}
              {rest}
            </code>
          </div>
        )
      })}
    </section>
  )
}
