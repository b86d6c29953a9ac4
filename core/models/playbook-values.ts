/**
 * Templates of playbooks: text with `{name | filter | filter}` in it. Names and filters are checked when a playbook is read, kinds
 * included, so that rendering cannot fail. Pure.
 */
import { Fault } from '../contract/fault.ts'
import { bareName, codeSpan, codeSpans, cutMarkdown, type Row, readTables, writeTable } from './playbook-text.ts'

/** What a call or a subtask brought. `about` names what it was for. */
export type Answer = { about: string; text: string; isError: boolean }
type Of = { text: string; number: number; texts: readonly string[]; answers: readonly Answer[]; rows: readonly Row[] }
export type Kind = keyof Of
export type Value = { [K in Kind]: { kind: K; is: Of[K] } }[Kind]
export type Kinds = ReadonlyMap<string, Kind>
export type Values = ReadonlyMap<string, Value>

type Filter = { from: Kind; to: Kind; words: 'none' | 'one' | 'some'; apply(is: never, words: readonly string[]): Of[Kind] }
function filter<F extends Kind, T extends Kind>(
  from: F,
  to: T,
  apply: (is: Of[F], words: readonly string[]) => Of[T],
  words: Filter['words'] = 'none',
): Filter {
  return { from, to, words, apply: apply as Filter['apply'] }
}

/** Every filter, by what it is used on. */
const FILTERS: Readonly<Record<string, readonly Filter[]>> = {
  /** A name as it is meant: without its code marks or quotes. */
  bare: [filter('text', 'text', bareName)],
  /** As code, so that `spans` finds it again. */
  code: [filter('text', 'text', codeSpan), filter('texts', 'texts', (is) => is.map(codeSpan))],
  /** What stands in code marks; the whole text if nothing does. */
  spans: [
    filter('text', 'texts', (is) => {
      const found = codeSpans(is)
      return found.length > 0 ? found : [is.trim()]
    }),
  ],
  lower: [filter('text', 'text', (is) => is.toLowerCase())],
  lines: [filter('text', 'texts', (is) => is.split('\n').filter((line) => line.trim() !== ''))],
  /** Names of the files, or folders, that list_files told. */
  files: [
    filter('answers', 'texts', (is) => is.flatMap((answer) => entriesOf(answer).flatMap((one) => (one.bytes === null ? [] : [one.path])))),
  ],
  folders: [
    filter('answers', 'texts', (is) =>
      is.flatMap((answer) => entriesOf(answer).flatMap((one) => (one.path.endsWith('/') ? [one.path.slice(0, -1)] : []))),
    ),
  ],
  /** The answers themselves. */
  said: [filter('answers', 'text', (is) => is.map((answer) => answer.text).join('\n\n'))],
  /** One row for each folder that list_files was asked about, and the rows of every table in other answers. */
  rows: [filter('answers', 'rows', (is) => is.flatMap(rowsOf))],
  /** `success` if every answer could be read into rows and nothing is missing in it, else `failure`. */
  status: [filter('answers', 'text', (is) => (is.some((answer) => problemOf(answer) !== null) ? 'failure' : 'success'))],
  /** A list item for each answer that brought nothing, or not all. */
  problems: [
    filter('answers', 'text', (is) =>
      is
        .flatMap((answer) => {
          const problem = problemOf(answer)
          return problem === null ? [] : [`- ${codeSpan(answer.about)}: ${problem}`]
        })
        .join('\n'),
    ),
  ],
  count: [
    filter('texts', 'number', (is) => is.length),
    filter('answers', 'number', (is) => is.length),
    filter('rows', 'number', (is) => is.length),
  ],
  sum: [filter('rows', 'number', (is, [field]) => is.reduce((sum, row) => sum + (Number(row[field!]) || 0), 0), 'one')],
  table: [filter('rows', 'text', writeTable, 'some')],
}

type Use = { names: readonly string[]; filters: readonly { apply: Filter['apply']; to: Kind; words: readonly string[] }[]; kind: Kind }
export type Template = readonly (string | Use)[]

const EXPRESSION = /^\s*([a-z_]\w*(?:\s*\+\s*[a-z_]\w*)*)\s*((?:\|\s*[a-z]+(?:\s+[a-z_]+)*\s*)*)$/

/** `where` begins the sentence of a fault. */
export function parseTemplate(text: string, known: Kinds, where: string): Template {
  const parts: (string | Use)[] = []
  let end = 0
  for (const found of text.matchAll(/\{\{|\{([^{}]*)\}/g)) {
    parts.push(text.slice(end, found.index))
    end = found.index + found[0].length
    if (found[1] === undefined) parts.push('{')
    else {
      const use = parseExpression(found[1], known, where)
      if (use.kind === 'answers' || use.kind === 'rows')
        throw new Fault(
          'invalid',
          `${where}: {${found[1]}} is ${KIND_WORDS[use.kind]}, which is no text; end it with a filter such as table or count.`,
        )
      parts.push(use)
    }
  }
  parts.push(text.slice(end))
  return parts.filter((part) => part !== '')
}

export function parseExpression(text: string, known: Kinds, where: string): Use {
  const form = EXPRESSION.exec(text)
  if (!form) throw new Fault('invalid', `${where}: {${text}} is not of the form {name | filter}; write {{ for a brace.`)
  const names = form[1]!.split('+').map((name) => name.trim())
  const kinds = names.map((name) => {
    const kind = known.get(name)
    if (kind === undefined)
      throw new Fault('invalid', `${where}: nothing is named ${name} here; there is ${[...known.keys()].join(', ') || 'no name yet'}.`)
    return kind
  })
  let kind = kinds[0]!
  if (names.length > 1 && kinds.some((each) => each !== 'answers'))
    throw new Fault('invalid', `${where}: {${text}} joins what is not all answers of calls or subtasks.`)
  const filters = form[2]!
    .split('|')
    .slice(1)
    .map((piece) => {
      const [name = '', ...words] = piece.trim().split(/\s+/)
      const variants = Object.hasOwn(FILTERS, name) ? FILTERS[name]! : null
      if (!variants) throw new Fault('invalid', `${where}: there is no filter ${name}; there is ${Object.keys(FILTERS).join(', ')}.`)
      const variant = variants.find((each) => each.from === kind)
      if (!variant)
        throw new Fault(
          'invalid',
          `${where}: the filter ${name} takes ${variants.map((each) => KIND_WORDS[each.from]).join(' or ')}, not ${KIND_WORDS[kind]}.`,
        )
      if ((variant.words === 'none') !== (words.length === 0) || (variant.words === 'one' && words.length !== 1))
        throw new Fault(
          'invalid',
          `${where}: the filter ${name} takes ${{ none: 'no words', one: 'one word', some: 'the names of columns' }[variant.words]} after it.`,
        )
      kind = variant.to
      return { apply: variant.apply, to: variant.to, words }
    })
  return { names, filters, kind }
}
const KIND_WORDS: Record<Kind, string> = {
  text: 'a text',
  number: 'a number',
  texts: 'a list of texts',
  answers: 'answers of calls or subtasks',
  rows: 'rows of a table',
}

/** The value of an expression that was parsed with the kinds of these values. */
export function evaluate(use: Use, values: Values): Value {
  const found = use.names.map((name) => values.get(name)!)
  const first: Value =
    found.length === 1 ? found[0]! : { kind: 'answers', is: found.flatMap((value) => (value.kind === 'answers' ? value.is : [])) }
  return use.filters.reduce<Value>((value, { apply, to, words }) => ({ kind: to, is: apply(value.is as never, words) }) as Value, first)
}

/** A list of texts is written with commas. */
export function render(template: Template, values: Values): string {
  return template
    .map((part) => {
      if (typeof part === 'string') return part
      const value = evaluate(part, values)
      return value.kind === 'texts' ? value.is.join(', ') : String(value.is)
    })
    .join('')
}

/** A page: no empty lines at its ends, and never two in a row, which parts that rendered to nothing leave behind. */
export const renderPage = (template: Template, values: Values): string =>
  render(template, values)
    .replace(/\n{3,}/g, '\n\n')
    .trim()

type Listing = { files: number; bytes: number; depth: number; notes: string }
const HEADING = /^(\d+) files? \((\d+) bytes\), (\d+) folders?\b.* · depth (\d+)((?: · .*)?)$/s

function listingOf({ text, isError }: Answer): Listing | null {
  const found = isError ? null : HEADING.exec(text.split('\n', 1)[0]!)
  return found && { files: Number(found[1]), bytes: Number(found[2]), depth: Number(found[4]), notes: found[5]!.replace(/^ · /, '') }
}
function entriesOf(answer: Answer): { path: string; bytes: number | null }[] {
  if (listingOf(answer) === null) return []
  return answer.text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const found = /^(\d+|-)\t(.+)$/s.exec(line)
      return found ? [{ path: found[2]!, bytes: found[1] === '-' ? null : Number(found[1]) }] : []
    })
}

function rowsOf(answer: Answer): Row[] {
  const listing = listingOf(answer)
  if (listing === null) return readTables(answer.text)
  const files = entriesOf(answer).flatMap(({ path, bytes }) => (bytes === null ? [] : [{ path, bytes }]))
  const largest = files.reduce<{ path: string; bytes: number } | null>(
    (most, file) => (most && most.bytes >= file.bytes ? most : file),
    null,
  )
  const shown = files.length < listing.files ? `largest and kinds are of ${files.length} files` : ''
  return [
    {
      folder: codeSpan(answer.about),
      files: listing.files,
      bytes: listing.bytes,
      largest: largest ? `${codeSpan(shorten(below(largest.path, answer.about)))} (${largest.bytes})` : '',
      kinds: kindsOf(files.map((file) => file.path)),
      note: [listing.depth === 1 ? 'only what lies directly in it' : '', shown, listing.notes].filter(Boolean).join('; '),
    },
  ]
}

const MOST_KINDS = 8
/** "ts 12, md 3": how many files there are of each ending. */
function kindsOf(paths: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const path of paths) {
    const kind = /[^/]\.([^./\s|`]{1,20})$/.exec(path)?.[1]?.toLowerCase() ?? 'none'
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  const rest = sorted.slice(MOST_KINDS)
  return [
    ...sorted.slice(0, MOST_KINDS).map(([kind, n]) => `${kind} ${n}`),
    ...(rest.length > 0 ? [`${rest.length} other kinds ${rest.reduce((sum, [, n]) => sum + n, 0)}`] : []),
  ].join(', ')
}
const below = (path: string, folder: string): string => {
  const start = `${folder.replace(/^(\.\/)+/, '').replace(/\/+$/, '')}/`
  return path.startsWith(start) ? path.slice(start.length) : path
}
const shorten = (path: string): string => (path.length <= 100 ? path : `…${path.slice(-99).toWellFormed()}`)

/** What keeps an answer from being counted in full, as a sentence without its full stop; null when nothing does. */
function problemOf(answer: Answer): string | null {
  const listing = listingOf(answer)
  if (listing === null) {
    if (!answer.isError && /\n… \(\d+ more characters in the result of task \S+\)$/.test(answer.text))
      return 'its table was cut, so rows are missing'
    if (readTables(answer.text).length === 0) return `no table came of it: ${cutMarkdown(answer.text.replace(/\s+/g, ' '), 300)}`
    return answer.isError ? 'it did not count everything; see its notes' : null
  }
  if (/only the first \d+ entries were looked at/.test(listing.notes)) return 'there is more in it than could be looked at'
  // Deeper listings tell their totals even of what they do not show; of this one the folders themselves are needed.
  return listing.depth === 1 && /more are not/.test(listing.notes) ? 'not all of its folders could be shown, so some are missing' : null
}
