/**
 * The process in which agents' queries run: it can be killed at any moment without harm. It takes one question at a time over its channel
 * and opens the database for that question alone, read-only. A native query blocks its main thread, so a second thread watches the pipe
 * whose other end the runtime holds, and kills the process when that closes.
 */
import { Socket } from 'node:net'
import { constants, DatabaseSync } from 'node:sqlite'
import { isMainThread, Worker } from 'node:worker_threads'
import { type Cell, type QueryResult, readableColumns } from '../contract/readable.ts'
import { oneReader, PURE_FUNCTIONS, refuseForeign } from './read-only-sql.ts'

/** `cellChars`: characters of one cell; the rest is named as cut. */
export type Question = { url: string; sql: string; maxRows: number; maxBytes: number; cellChars: number; timeoutMs: number }
export type Reply = { result: QueryResult } | { problem: string; code: 'invalid' | 'forbidden' | 'not_found' | 'limited' | 'unavailable' }

const PIPE = 3
/** What SQLite may hold in memory for one query, so that a sort of everything is an error and no temporary file. */
const HEAP_BYTES = 128_000_000
/** One value of SQLite's while it computes. */
const VALUE_BYTES = 16_000_000

type Asked = { question: Question; sql: string; tables: Map<string, readonly string[]> }

function answerFrom(ask: (question: Question) => Promise<QueryResult>): (question: Question) => Promise<Reply> {
  return async (question) => {
    try {
      return { result: await ask(question) }
    } catch (error) {
      const { message, code } = error as { message: string; code?: unknown }
      const known = code === 'invalid' || code === 'forbidden' || code === 'not_found' || code === 'limited' || code === 'unavailable'
      return { problem: message, code: known ? code : 'invalid' }
    }
  }
}

class Refusal extends Error {
  readonly code: 'invalid' | 'forbidden' | 'not_found' | 'limited' | 'unavailable'
  constructor(code: Refusal['code'], message: string) {
    super(message)
    this.code = code
  }
}

async function ask(question: Question): Promise<QueryResult> {
  const tables = readableColumns()
  const { sql, tokens } = oneReader(question.sql)
  const asked = { question, sql, tables }
  return question.url.startsWith('sqlite:') ? askSqlite(asked) : askPostgres(asked, tokens)
}

/** Words for what the database said of names, with the names that there are. */
function explained(message: string, { sql, tables }: Asked): Refusal {
  const table = /no such table: (?:main\.)?(.+)$/.exec(message)?.[1] ?? /relation "([^"]+)" does not exist/.exec(message)?.[1]
  if (table !== undefined) return noTable(table, tables)
  if (/no such column|column .* does not exist/.test(message)) {
    const named = [...tables].filter(([name]) => new RegExp(`\\b${name}\\b`, 'i').test(sql))
    const columns = named.map(([name, all]) => `${name} has ${all.join(', ')}`)
    return new Refusal('not_found', `${message}. ${columns.join('; ')}`)
  }
  if (/out of memory|too big/.test(message))
    return new Refusal('limited', `The query needs too much memory (${message}); read fewer or shorter columns, or count in the query.`)
  return new Refusal('invalid', `The query was refused: ${message}.`)
}
const noTable = (name: string, tables: ReadonlyMap<string, unknown>): Refusal =>
  new Refusal('not_found', `There is no table "${name.slice(0, 60)}". Tables: ${[...tables.keys()].join(', ')}.`)

function askSqlite(asked: Asked): QueryResult {
  const { question, sql, tables } = asked
  const begun = performance.now()
  const database = new DatabaseSync(question.url.slice('sqlite:'.length), {
    readOnly: true,
    allowExtension: false,
    timeout: 1_000,
    limits: { length: VALUE_BYTES, attach: 0, sqlLength: 100_000, exprDepth: 200, compoundSelect: 50 },
  })
  try {
    database.exec(`PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA hard_heap_limit = ${HEAP_BYTES}`)
    const real = new Set(
      database
        .prepare('SELECT lower(name) AS name FROM sqlite_schema')
        .all()
        .map((row) => String(row.name)),
    )
    const hidden = new Set<string>()
    let refused: Refusal | undefined
    const deny = (why: Refusal): number => {
      refused ??= why
      return constants.SQLITE_DENY
    }
    database.setAuthorizer((action, one, two) => {
      if (action === constants.SQLITE_SELECT || action === constants.SQLITE_RECURSIVE) return constants.SQLITE_OK
      if (action === constants.SQLITE_FUNCTION) {
        const name = (two ?? '').toLowerCase()
        if (PURE_FUNCTIONS.has(name)) return constants.SQLITE_OK
        return deny(new Refusal('forbidden', `The function ${name.slice(0, 60)} cannot be used in this tool.`))
      }
      if (action !== constants.SQLITE_READ) return deny(new Refusal('forbidden', 'This tool only reads: write one SELECT.'))
      const table = (one ?? '').toLowerCase()
      const column = (two ?? '').toLowerCase()
      const columns = tables.get(table)
      if (columns) {
        if (column === '' || column === 'rowid' || columns.includes(column)) return constants.SQLITE_OK
        hidden.add(`${table}.${column}`)
        return constants.SQLITE_IGNORE
      }
      if (table === 'json_each' || table === 'json_tree') return constants.SQLITE_OK
      // A common table expression of which no column is read comes by its own name.
      if (column === '' && !real.has(table) && !/^(sqlite|pragma)_/.test(table)) return constants.SQLITE_OK
      return deny(noTable(one ?? '', tables))
    })
    try {
      const statement = database.prepare(sql)
      statement.setReadBigInts(true)
      statement.setReturnArrays(true)
      const columns = statement.columns().map((column) => column.name)
      const kept = keep(question, columns)
      for (const row of statement.iterate() as Iterable<unknown>) if (!kept.add(row as unknown[])) break
      return kept.result(begun, hidden)
    } catch (error) {
      throw refused ?? explained((error as Error).message, asked)
    }
  } finally {
    database.close()
  }
}

async function askPostgres(asked: Asked, tokens: ReturnType<typeof oneReader>['tokens']): Promise<QueryResult> {
  const { question, sql, tables } = asked
  const { default: pg } = await import('pg')
  const WHOLE = [20, 21, 23]
  const FRACTION = [700, 701]
  const getTypeParser = (oid: number) => (text: string) =>
    WHOLE.includes(oid) ? BigInt(text) : FRACTION.includes(oid) ? Number(text) : text
  const client = new pg.Client({
    connectionString: question.url,
    connectionTimeoutMillis: 5_000,
    types: { getTypeParser } as never, // the declared type of getTypeParser is narrower than what pg calls
  })
  client.on('error', () => undefined) // the query under way reports what is wrong
  try {
    await client.connect()
  } catch {
    // Its words may name the user and the address.
    throw new Refusal('unavailable', 'The database does not answer; try again in a minute.')
  }
  try {
    await client.query('BEGIN READ ONLY')
    await client.query(`SET LOCAL statement_timeout = ${Math.ceil(question.timeoutMs)}`)
    await client.query(`SET LOCAL work_mem = '32MB'`)
    await client.query('SET LOCAL temp_file_limit = 0').catch(async () => {
      // Only a superuser may set it; others have their server's limit.
      await client.query('ROLLBACK')
      await client.query('BEGIN READ ONLY')
      await client.query(`SET LOCAL statement_timeout = ${Math.ceil(question.timeoutMs)}`)
    })
    const { rows: relations } = await client.query<{ name: string; schema: string; here: string }>(
      'SELECT c.relname AS name, n.nspname AS schema, current_schema() AS here FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace',
    )
    const hidden = new Set(relations.map(({ name }) => name.toLowerCase()).filter((name) => !tables.has(name)))
    refuseForeign(tokens, hidden, new Set(relations.map(({ schema }) => schema.toLowerCase())))
    const here = pg.escapeIdentifier(relations[0]?.here ?? 'public')
    const { rows: known } = await client.query<{ table: string; column: string }>(
      'SELECT table_name AS table, column_name AS column FROM information_schema.columns WHERE table_schema = current_schema()',
    )
    // Each readable table is a view of its readable columns; the database's own tables are behind them.
    const views = [...tables].flatMap(([name, columns]) => {
      const own = known.filter((one) => one.table === name && columns.includes(one.column)).map((one) => pg.escapeIdentifier(one.column))
      const id = pg.escapeIdentifier(name)
      return own.length > 0 ? [`${id} AS NOT MATERIALIZED (SELECT ${own.join(', ')} FROM ${here}.${id})`] : []
    })
    const begun = performance.now()
    const text = `WITH ${views.join(', ')} SELECT * FROM (${sql}\n) AS asked LIMIT ${question.maxRows + 1}`
    try {
      const answer = await client.query<unknown[]>({ text, rowMode: 'array' })
      const kept = keep(
        question,
        answer.fields.map((field) => field.name),
      )
      for (const row of answer.rows) if (!kept.add(row)) break
      return kept.result(begun, new Set())
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (code === '57014') throw slow(question.timeoutMs)
      if (code === '53400')
        throw new Refusal('limited', 'The query needs too much memory; read fewer or shorter columns, or count in the query.')
      throw explained(message, asked)
    }
  } finally {
    await client.end()
  }
}
const slow = (ms: number): Refusal =>
  new Refusal('limited', `The query took longer than ${ms / 1_000} s and was stopped; narrow it with WHERE, or count in the query.`)

/** Rows as they come, within the caps. */
function keep({ maxRows, maxBytes, cellChars }: Question, columns: string[]) {
  const rows: Cell[][] = []
  let bytes = 0
  let cells = 0
  let why = ''
  const sizeOf = (row: readonly Cell[]) => Buffer.byteLength(JSON.stringify(row))
  const shorten = (values: readonly unknown[], most: number): Cell[] =>
    values.map((value) => {
      const whole = cellOf(value)
      if (typeof whole !== 'string' || whole.length <= most) return whole
      cells++
      return `${whole.slice(0, most)}… (cut: ${whole.length} characters)`
    })
  return {
    /** False when no more rows are wanted. */
    add(values: unknown[]): boolean {
      if (rows.length >= maxRows) {
        why = `Only the first ${maxRows} rows are shown; narrow the query, or count in it.`
        return false
      }
      let row = shorten(values, cellChars)
      // One row larger than the whole answer is shown with its cells cut evenly.
      if (rows.length === 0 && sizeOf(row) > maxBytes) row = shorten(values, Math.floor(maxBytes / (6 * values.length)))
      bytes += sizeOf(row)
      if (bytes > maxBytes && rows.length > 0) {
        why = `Only the first ${rows.length} rows are shown, because the answer may have ${maxBytes / 1_000} kB; read fewer or shorter columns.`
        return false
      }
      rows.push(row)
      return true
    },
    result(begun: number, hidden: ReadonlySet<string>): QueryResult {
      const cut = [
        ...(why === '' ? [] : [why]),
        ...(cells === 0 ? [] : [`${cells} cells were cut; read the rest with substr(column, from, ${cellChars}).`]),
        ...(hidden.size === 0 ? [] : [`Not readable, shown as null: ${[...hidden].join(', ')}.`]),
      ]
      return { columns, rows, truncated: why !== '' || cells > 0, cut, ms: Math.round(performance.now() - begun) }
    },
  }
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value instanceof Uint8Array) {
    const shown = Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, 32)).toString('hex')
    return `x'${shown}${value.byteLength > 32 ? '…' : ''}' (${value.byteLength} bytes)`
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

if (isMainThread) {
  const answer = answerFrom(ask)
  // It may be killed in the middle of anything, so it needs no farewell.
  new Worker(new URL(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 16 } }).unref()
  process.on('message', (question: Question) => void answer(question).then((reply) => process.send?.(reply)))
  process.send?.('ready')
} else {
  const end = () => process.kill(process.pid, 'SIGKILL')
  new Socket({ fd: PIPE, readable: true, writable: false }).on('error', end).on('close', end).resume()
}
