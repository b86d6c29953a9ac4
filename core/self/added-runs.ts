/** Lines that are only added to an existing test, and whether they could change what the lines around them do. Pure. */

/** Added lines that stand together. `lines`: of a patch. */
export function runsOf(lines: readonly string[]): string[][] {
  const runs: string[][] = []
  let last = false
  for (const line of lines) {
    const isAdded = /^\+(?!\+\+)/.test(line)
    if (isAdded && last) runs.at(-1)!.push(line.slice(1))
    else if (isAdded) runs.push([line.slice(1)])
    last = isAdded
  }
  return runs
}

const OPENS = '([{'
const CLOSES = ')]}'
/** What may stand beside existing lines: whole tests, imports, declarations, rows of a table, further checks. */
const WHOLE =
  /^(?:(?:test|it|describe)\b|import\b|(?:export\s+)?(?:const|function|async function|type|interface)\b|(?:await\s+)?expect\b|[[{'"`].*,?$|[\w'"-]+:|\.\.\.|[)\]}])/

/** Why these lines could change an existing test; null: they stand for themselves. */
export function strangeIn(run: readonly string[]): string | null {
  const { text, open } = plain(run.join('\n'))
  if (open !== null) return `${open} begins or ends among existing lines`
  let depth = 0
  let least = 0
  const outer: string[] = ['']
  for (const sign of text) {
    if (CLOSES.includes(sign)) depth--
    least = Math.min(least, depth)
    if (depth === 0) {
      if (sign === '\n' || sign === ';') outer.push('')
      else outer[outer.length - 1] += sign
    }
    if (OPENS.includes(sign)) {
      if (depth === 0) outer[outer.length - 1] += sign
      depth++
    }
  }
  if (depth !== 0 || least < 0) return 'existing lines get into something new'
  for (const line of outer.map((one) => one.trim()).filter((one) => one !== ''))
    if (!WHOLE.test(line) || /\b(?:return|throw|break|continue)\b/.test(line))
      return `an existing test gets a step more (${line.slice(0, 40)})`
  return null
}

/** Without comments and without what stands in texts; `open`: what is not closed within. */
function plain(code: string): { text: string; open: string | null } {
  let text = ''
  for (let at = 0; at < code.length; ) {
    const rest = code.slice(at)
    const line = /^\/\/[^\n]*/.exec(rest)
    const block = rest.startsWith('/*')
    const quote = /^['"`]/.exec(rest)?.[0]
    if (line) at += line[0].length
    else if (rest.startsWith('*/')) return { text, open: 'a comment' }
    else if (block) {
      const end = rest.indexOf('*/', 2)
      if (end < 0) return { text, open: 'a comment' }
      at += end + 2
    } else if (quote) {
      const body = new RegExp(quote === '`' ? '^`(?:[^`\\\\]|\\\\[\\s\\S])*`' : `^${quote}(?:[^${quote}\\\\\\n]|\\\\.)*${quote}`).exec(rest)
      if (!body) return { text, open: 'a text' }
      text += `${quote}${quote}`
      at += body[0].length
    } else {
      const pattern = /^\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/.exec(rest)
      const value = pattern && /(?:^|[(,=:[!&|?{};\n])\s*$/.test(text)
      text += value ? '``' : rest[0]
      at += value ? pattern[0].length : 1
    }
  }
  return { text, open: null }
}
