/** Pieces of Markdown that rules write into results and read back. Pure. */

/** As a code span whatever is in it: the fence is longer than any run of backticks inside. */
export function codeSpan(text: string): string {
  const ticks = fenceOf(text, 1)
  const pad = /^[` ]|[` ]$/.test(text) ? ' ' : ''
  return `${ticks}${pad}${text}${pad}${ticks}`
}

/** Contents of the code spans in a text, in order. */
export function codeSpans(text: string): string[] {
  const found: string[] = []
  const runs = [...text.matchAll(/`+/g)]
  for (let i = 0; i < runs.length; i++) {
    const close = runs.findIndex((run, k) => k > i && run[0].length === runs[i]![0].length)
    if (close < 0) continue
    const inside = text.slice(runs[i]!.index + runs[i]![0].length, runs[close]!.index)
    found.push(/^ .*\S.* $/s.test(inside) ? inside.slice(1, -1) : inside)
    i = close
  }
  return found
}

/** A name as a person writes it: a code span, in quotes, or bare. */
export function bareName(text: string): string {
  const plain = text.trim()
  const [span] = codeSpans(plain)
  if (span !== undefined && /^`.*`$/s.test(plain)) return span
  return /^(["'])(.+)\1$/s.exec(plain)?.[2] ?? plain
}

/** A fenced block; text that is longer than `most` characters loses its middle. */
export function codeBlock(text: string, most: number): string {
  const shown = middleOut(text, most)
  const fence = fenceOf(shown, 3)
  return `${fence}text\n${shown}\n${fence}`
}

const fenceOf = (text: string, least: number): string => {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  return '`'.repeat(longest < least ? least : longest + 1)
}

export function middleOut(text: string, most: number): string {
  if (text.length <= most) return text
  const half = Math.floor(most / 2)
  return `${text.slice(0, half).toWellFormed()}\n… (${text.length - 2 * half} characters left out) …\n${text.slice(-half).toWellFormed()}`
}

/** The beginning of a Markdown text, by whole lines; a fence that the cut leaves open is closed. */
export function cutMarkdown(text: string, most: number): string {
  if (text.length <= most) return text
  const kept: string[] = []
  let size = 0
  let fence = ''
  for (const line of text.split('\n')) {
    if (size + line.length + 1 > most) break
    const mark = /^(`{3,})/.exec(line)?.[1] ?? ''
    if (mark && !fence) fence = mark
    else if (mark.length >= fence.length && line.trim() === mark) fence = ''
    kept.push(line)
    size += line.length + 1
  }
  return [...kept, ...(fence ? [fence] : []), `_${text.length - size} more characters are left out here._`].join('\n')
}

export type Row = Readonly<Record<string, string | number>>

/** A table of these columns; a column in which every row is empty is left out. */
export function writeTable(rows: readonly Row[], columns: readonly string[]): string {
  const shown = columns.filter((column) => rows.some((row) => cell(row[column]) !== ''))
  if (shown.length === 0) return ''
  const numbers = (column: string) => rows.every((row) => typeof row[column] !== 'string' || /^\d+$/.test(row[column]))
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(shown), `|${shown.map((column) => (numbers(column) ? ' ---: |' : ' --- |')).join('')}`]
    .concat(rows.map((row) => line(shown.map((column) => cell(row[column])))))
    .join('\n')
}
const cell = (value: string | number | undefined): string =>
  String(value ?? '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')

/** The rows of every table in a text. */
export function readTables(text: string): Row[] {
  const rows: Row[] = []
  let columns: string[] | null = null
  const lines = text.split('\n')
  for (const [i, line] of lines.entries()) {
    if (!line.startsWith('|')) columns = null
    else if (columns === null) columns = /^\|(\s*:?-+:?\s*\|)+$/.test(lines[i + 1] ?? '') ? cellsOf(line) : null
    else if (!/^\|(\s*:?-+:?\s*\|)+$/.test(line)) {
      const cells = cellsOf(line)
      rows.push(Object.fromEntries(columns.map((column, k) => [column, cells[k] ?? ''])))
    }
  }
  return rows
}
const cellsOf = (line: string): string[] =>
  line
    .slice(1)
    .split(/(?<!\\)\|/)
    .slice(0, -1)
    .map((each) => each.trim().replaceAll('\\|', '|'))
