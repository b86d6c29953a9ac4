/**
 * One UPDATE or DELETE of an agent's, taken apart. The statement itself never runs: what it would do is asked by a SELECT in the process
 * that only reads and can be killed (`look`), and the rows and values found are then written by their keys. Pure.
 */
import { Fault } from '../contract/fault.ts'
import type { Cell, QueryResult } from '../contract/readable.ts'
import { describeWritable, MOST_WRITTEN, WRITABLE } from '../contract/writable.ts'
import { type Token, tokensOf } from './read-only-sql.ts'

export type WritePlan = {
  verb: 'update' | 'delete'
  table: string
  /** Columns that it writes; none where rows are deleted. */
  columns: string[]
  /** Keys, then values before, then values after, of every row that it would change. */
  look: string
}
/** One row: its key, and what its columns hold and would hold. */
export type WrittenRow = { key: Cell[]; before: Cell[]; after: Cell[] }

type Piece = { text: string; tokens: Token[] }

/** Words that at the top of an UPDATE or DELETE make it do more than change rows of one table by a condition. */
const MORE = [
  'from',
  'using',
  'returning',
  'order',
  'limit',
  'offset',
  'union',
  'except',
  'intersect',
  'on',
  'window',
  'group',
  'having',
  'set',
]

/** The plan of a statement, or a Fault that says what may be written and how. */
export function planWrite(sql: string): WritePlan {
  if (sql.includes('\0')) throw new Fault('invalid', 'The statement holds a NUL character; take it out.')
  const tokens = tokensOf(sql)
  while (isSign(tokens.at(-1), ';')) tokens.pop()
  plain(sql, tokens)
  const verb = word(tokens[0])
  if (verb === 'insert' || verb === 'replace')
    throw new Fault('forbidden', `New rows are not made with this tool. What may be written: ${describeWritable()}.`)
  if (verb === 'select' || verb === 'values' || verb === 'explain')
    throw new Fault('invalid', 'This statement only reads; send it without "write".')
  if (verb !== 'update' && verb !== 'delete')
    throw new Fault(
      'forbidden',
      `One UPDATE or DELETE is taken here, not ${(verb ?? 'this').toUpperCase().slice(0, 30)}. What may be written: ${describeWritable()}.`,
    )
  return verb === 'update' ? planUpdate(sql, tokens) : planDelete(sql, tokens)
}

function planUpdate(sql: string, tokens: Token[]): WritePlan {
  const table = tableAt(tokens, 1)
  if (word(tokens[2]) !== 'set')
    throw new Fault('invalid', `Write UPDATE ${table} SET column = value, … WHERE condition; without another name for the table.`)
  const [sets, where] = halves(sql, tokens.slice(3), tokens[2]!)
  const taken = WRITABLE[table]!
  const pairs = apart(sets.tokens).map((tokens): { column: string; value: string } => {
    const column = name(tokens[0])
    if (column === null || !isSign(tokens[1], '=') || tokens.length < 3)
      throw new Fault('invalid', 'Each part of SET is column = value; lists of columns in parentheses are not taken.')
    if (!Object.hasOwn(taken.set, column))
      throw new Fault('forbidden', `${table}.${column.slice(0, 60)} cannot be written. What may be written: ${describeWritable()}.`)
    const value = textOf(sql, tokens.slice(2))
    if (value.toLowerCase() === 'default') throw new Fault('invalid', 'DEFAULT is not taken; write the value.')
    return { column, value }
  })
  const columns = pairs.map((pair) => pair.column)
  if (new Set(columns).size < columns.length) throw new Fault('invalid', 'A column is set twice; set it once.')
  // In a condition no function of many rows is allowed, so none can stand in a value and fold the rows into one.
  const alone = pairs.map(({ value }) => ` AND ((${value}) IS NULL OR 1 = 1)`).join('')
  const values = pairs.map(({ value }, i) => `(${value}) AS after_${i}`)
  const look = `SELECT ${[...taken.key, ...columns, ...values].join(', ')} FROM ${table} WHERE (${where.text})${alone}`
  return { verb: 'update', table, columns, look }
}

function planDelete(sql: string, tokens: Token[]): WritePlan {
  if (word(tokens[1]) !== 'from') throw new Fault('invalid', 'Write DELETE FROM table WHERE condition.')
  const table = tableAt(tokens, 2)
  if (!WRITABLE[table]!.remove)
    throw new Fault('forbidden', `Rows of ${table} cannot be deleted. What may be written: ${describeWritable()}.`)
  const [between, where] = halves(sql, tokens.slice(3), tokens[2]!)
  if (between.tokens.length > 0) throw new Fault('invalid', 'Write DELETE FROM table WHERE condition; without another name for the table.')
  return { verb: 'delete', table, columns: [], look: `SELECT ${WRITABLE[table]!.key.join(', ')} FROM ${table} WHERE (${where.text})` }
}

/** The rows that a look found, if they may be written; else a Fault that says what is wrong with them. `now`: milliseconds since 1970. */
export function rowsOf({ table, columns }: WritePlan, found: QueryResult, now: number): WrittenRow[] {
  if (found.rows.length > MOST_WRITTEN)
    throw new Fault('limited', `It would change more than ${MOST_WRITTEN} rows; narrow its WHERE and do it in parts.`)
  if (found.cut.length > 0) throw new Fault('invalid', `What it would change cannot be shown whole: ${found.cut.join(' ')}`)
  const { key, set } = WRITABLE[table]!
  return found.rows.map((row) => {
    const before = row.slice(key.length, key.length + columns.length)
    const after = row.slice(key.length + columns.length).map((value, i) => (typeof before[i] === 'string' ? value : wholeNumber(value)))
    for (const [i, value] of after.entries()) {
      const problem = set[columns[i]!]!.problem(value, now)
      if (problem !== null)
        throw new Fault('invalid', `${table}.${columns[i]} cannot be ${JSON.stringify(value)?.slice(0, 80)}: ${problem}.`)
    }
    return { key: row.slice(0, key.length), before, after }
  })
}
/** PostgreSQL gives what it computed as text. */
const wholeNumber = (value: Cell): Cell => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value)

/** Nothing between the words but space, so that what people read is what is read; and none of the signs that the two databases read differently. */
function plain(sql: string, tokens: readonly Token[]): void {
  let at = 0
  for (const token of tokens) {
    if (sql.slice(at, token.at).trim() !== '')
      throw new Fault('invalid', 'A statement that writes is taken without comments; take them out.')
    if (token.kind === 'sign' && !/^[-+*/%(),.=<>!|&~]$/.test(token.value))
      throw new Fault(
        'invalid',
        token.value === ';'
          ? 'One statement at a time is taken; send each as a call of its own.'
          : `The sign ${token.value.slice(0, 4)} is not taken in a statement that writes.`,
      )
    if (token.kind === 'text' && token.value.startsWith('$'))
      throw new Fault('invalid', "Texts are written as '…' in a statement that writes.")
    at = endOf(token)
  }
  if (sql.slice(at).replaceAll(';', '').trim() !== '')
    throw new Fault('invalid', 'A statement that writes is taken without comments; take them out.')
  let depth = 0
  for (const token of tokens) {
    depth += isSign(token, '(') ? 1 : isSign(token, ')') ? -1 : 0
    if (depth < 0) break
  }
  if (depth !== 0) throw new Fault('invalid', 'The parentheses of the statement do not match.')
  if (tokens.length === 0) throw new Fault('invalid', 'The statement is empty; write one UPDATE or DELETE.')
}

function tableAt(tokens: readonly Token[], at: number): string {
  const table = name(tokens[at])
  if (table === null || isSign(tokens[at + 1], '.'))
    throw new Fault(
      'invalid',
      'Name one table, without a schema: UPDATE table SET column = value WHERE condition, or DELETE FROM table WHERE condition.',
    )
  if (Object.hasOwn(WRITABLE, table)) return table
  throw new Fault('forbidden', `The table ${table.slice(0, 60)} cannot be written. What may be written: ${describeWritable()}.`)
}

/** What stands before WHERE and what after it. */
function halves(sql: string, tokens: readonly Token[], before: Token): [Piece, Piece] {
  let depth = 0
  let where = -1
  for (const [i, token] of tokens.entries()) {
    depth += isSign(token, '(') ? 1 : isSign(token, ')') ? -1 : 0
    if (depth > 0 || token.kind !== 'word') continue
    const is = token.value.toLowerCase()
    if (MORE.includes(is))
      throw new Fault(
        'invalid',
        `${is.toUpperCase()} is not taken here: write columns, values and one condition, with any SELECT in parentheses.`,
      )
    if (is !== 'where') continue
    if (where >= 0) throw new Fault('invalid', 'WHERE stands there twice.')
    where = i
  }
  if (where < 0 || where === tokens.length - 1)
    throw new Fault('invalid', `Say which rows with WHERE (after ${before.value.slice(0, 60)} …); a statement without it would change all.`)
  const piece = (some: Token[]): Piece => ({ text: some.length === 0 ? '' : textOf(sql, some), tokens: some })
  return [piece(tokens.slice(0, where)), piece(tokens.slice(where + 1))]
}

/** At commas that stand in no parentheses. */
function apart(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    depth += isSign(token, '(') ? 1 : isSign(token, ')') ? -1 : 0
    if (depth === 0 && isSign(token, ',')) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts
}

const isSign = (token: Token | undefined, value: string): boolean => token?.kind === 'sign' && token.value === value
const word = (token: Token | undefined): string | null => (token?.kind === 'word' ? token.value.toLowerCase() : null)
/** A name as both databases read it: in small letters, or quoted so. */
const name = (token: Token | undefined): string | null => (token?.kind === 'name' ? token.value : word(token))
const endOf = (token: Token): number =>
  token.at + (token.kind === 'name' ? token.value.replaceAll('"', '""').length + 2 : token.value.length)
const textOf = (sql: string, tokens: readonly Token[]): string => sql.slice(tokens[0]!.at, endOf(tokens.at(-1)!))
