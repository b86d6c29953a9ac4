/**
 * What may be asked of the database, decided from the text. Pure. On SQLite this only gives better words, for there the authorizer of the
 * connection decides; on PostgreSQL, which has none, `refuseForeign` is the wall in front of the read-only transaction.
 */
import { Fault } from '../contract/fault.ts'

export type Token = { kind: 'word' | 'name' | 'text' | 'sign'; value: string; at: number }

/**
 * Words, "quoted names", 'texts' and signs; comments are gone. Follows PostgreSQL's rules; a text that could be read in two ways (escape
 * strings, numbers that run into letters, odd dollar quotes) is refused, because whatever hides in the difference is not checked.
 */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const rest = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    return pattern.exec(sql)?.[0] ?? null
  }
  const take = (kind: Token['kind'], whole: string, value = whole) => {
    tokens.push({ kind, value, at })
    at += whole.length
  }
  while (at < sql.length) {
    const space = rest(/(?:\s+|--[^\n\r]*)+/y)
    if (space) {
      at += space.length
      continue
    }
    if (sql.startsWith('/*', at)) {
      at = afterComment(sql, at)
      continue
    }
    const tag = rest(/\$(?:[A-Za-z_]\w*)?\$/y)
    if (tag) {
      const end = sql.indexOf(tag, at + tag.length)
      if (end < 0) throw new Fault('invalid', 'The query ends inside a text; close it.')
      take('text', sql.slice(at, end + tag.length))
      continue
    }
    if (rest(/[eE]'|\$/y))
      throw new Fault('invalid', "Texts like E'…', parameters and odd dollar quotes are not read; write the text as '…'.")
    if (sql[at] === "'") {
      const text = rest(/'(?:[^']|'')*'/y)
      if (text === null) throw new Fault('invalid', 'The query ends inside a text; close its quote.')
      take('text', text)
      continue
    }
    if (sql[at] === '"') {
      const name = rest(/"(?:[^"]|"")*"/y)
      if (name === null) throw new Fault('invalid', 'The query ends inside a quoted name; close its quote.')
      take('name', name, name.slice(1, -1).replaceAll('""', '"'))
      continue
    }
    const word = rest(/[\p{L}_][\p{L}\p{N}_$]*/uy)
    const number = word === null ? rest(/0[xX][\da-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y) : null
    take(word ? 'word' : number ? 'text' : 'sign', word ?? number ?? sql[at]!)
    if (number && /[\w$'"]/.test(sql[at] ?? ''))
      throw new Fault('invalid', `The number ${number} runs into what follows; put a space between them.`)
  }
  return tokens
}

/** Comments of PostgreSQL nest and SQLite's do not, so one that both would read differently is refused. */
function afterComment(sql: string, from: number): number {
  const end = sql.indexOf('*/', from + 2)
  if (end < 0) throw new Fault('invalid', 'The query ends inside a comment; close it with */.')
  if (sql.slice(from + 2, end).includes('/*')) throw new Fault('invalid', 'Comments inside comments are not read; take the inner one out.')
  return end + 2
}

const READERS = ['select', 'with', 'values', 'explain']

/** The query without a last semicolon, if it is one statement that reads; else a Fault that says what to do instead. */
export function oneReader(sql: string): { sql: string; tokens: Token[] } {
  if (sql.includes('\0')) throw new Fault('invalid', 'The query holds a NUL character; take it out.')
  const tokens = tokensOf(sql)
  let last = tokens.length
  while (last > 0 && isSign(tokens[last - 1], ';')) last--
  const own = tokens.slice(0, last)
  const first = own.find((token) => !isSign(token, '('))
  if (!first) throw new Fault('invalid', 'The query is empty; write one SELECT.')
  if (own.some((token) => isSign(token, ';')))
    throw new Fault('invalid', 'One statement at a time: send each SELECT as a query of its own, without a semicolon between them.')
  const verb = first.value.toLowerCase()
  if (first.kind !== 'word' || !READERS.includes(verb)) throw notReading(verb)
  let depth = 0
  for (const token of own) {
    depth += isSign(token, '(') ? 1 : isSign(token, ')') ? -1 : 0
    if (depth < 0) throw new Fault('invalid', 'The query closes a parenthesis that it did not open.')
  }
  return { sql: last === tokens.length ? sql : sql.slice(0, tokens[last]!.at), tokens: own }
}
const isSign = (token: Token | undefined, value: string) => token?.kind === 'sign' && token.value === value

/** Said whenever something else than reading was asked for. */
export function notReading(verb: string): Fault {
  return new Fault(
    'forbidden',
    `This tool only reads: write one SELECT (or WITH … SELECT), not ${verb.toUpperCase().slice(0, 30)}. What changes something has a tool of its own ` +
      '(a few columns can be changed with "write": true, if a person agrees): add_document saves knowledge, start_subtask makes tasks, end_task ends yours, flag_for_review asks a person for everything else.',
  )
}

// biome-ignore format: a list of words
const BEFORE_PARENTHESIS = new Set(['select', 'from', 'where', 'in', 'exists', 'any', 'all', 'some', 'over', 'values', 'and', 'or', 'not', 'as', 'by', 'on', 'using', 'filter', 'group', 'within', 'then', 'else', 'when', 'case', 'union', 'except', 'intersect', 'join', 'lateral', 'having', 'limit', 'offset', 'between', 'like', 'ilike', 'is', 'distinct', 'materialized', 'with', 'recursive', 'sets', 'escape', 'return', 'interval', 'numeric', 'decimal', 'varchar', 'char', 'character', 'varying', 'bit', 'timestamp', 'timestamptz', 'time', 'array', 'row', 'cube', 'rollup', 'grouping', 'window', 'partition', 'order'])
/** Functions that compute from their arguments and nothing else. */
// biome-ignore format: a list of words
export const PURE_FUNCTIONS = new Set(['abs', 'acos', 'age', 'array_agg', 'array_length', 'array_to_string', 'ascii', 'asin', 'atan', 'atan2', 'avg', 'bool_and', 'bool_or', 'btrim', 'cardinality', 'cast', 'ceil', 'ceiling', 'char', 'char_length', 'character_length', 'chr', 'coalesce', 'concat', 'concat_ws', 'corr', 'cos', 'count', 'cume_dist', 'current_date', 'current_time', 'current_timestamp', 'date', 'date_part', 'date_trunc', 'datetime', 'degrees', 'dense_rank', 'div', 'encode', 'every', 'exp', 'extract', 'first_value', 'floor', 'format', 'glob', 'greatest', 'group_concat', 'hex', 'ifnull', 'iif', 'initcap', 'instr', 'json', 'json_agg', 'json_array', 'json_array_elements', 'json_array_elements_text', 'json_array_length', 'json_build_array', 'json_build_object', 'json_each', 'json_each_text', 'json_error_position', 'json_extract', 'json_extract_path', 'json_extract_path_text', 'json_group_array', 'json_group_object', 'json_object', 'json_object_agg', 'json_object_keys', 'json_patch', 'json_pretty', 'json_quote', 'json_tree', 'json_type', 'json_typeof', 'json_valid', 'jsonb_agg', 'jsonb_array_elements', 'jsonb_array_elements_text', 'jsonb_array_length', 'jsonb_each', 'jsonb_each_text', 'jsonb_extract_path', 'jsonb_extract_path_text', 'jsonb_object_agg', 'jsonb_object_keys', 'jsonb_path_query', 'jsonb_path_exists', 'jsonb_pretty', 'jsonb_typeof', 'julianday', 'lag', 'last_value', 'lead', 'least', 'left', 'length', 'like', 'likelihood', 'likely', 'ln', 'log', 'log10', 'log2', 'lower', 'lpad', 'ltrim', 'max', 'md5', 'min', 'mod', 'mode', 'now', 'nth_value', 'ntile', 'nullif', 'octet_length', 'overlay', 'percent_rank', 'percentile_cont', 'percentile_disc', 'pi', 'position', 'pow', 'power', 'printf', 'quote', 'radians', 'random', 'rank', 'regexp_count', 'regexp_match', 'regexp_matches', 'regexp_replace', 'regexp_split_to_table', 'repeat', 'replace', 'reverse', 'right', 'round', 'row_number', 'row_to_json', 'rpad', 'rtrim', 'sign', 'sin', 'split_part', 'sqrt', 'starts_with', 'stddev', 'stddev_pop', 'stddev_samp', 'strftime', 'string_agg', 'string_to_array', 'strpos', 'substr', 'substring', 'subtype', 'sum', 'tan', 'time', 'timediff', 'to_char', 'to_date', 'to_hex', 'to_json', 'to_jsonb', 'to_number', 'to_timestamp', 'total', 'translate', 'trim', 'trunc', 'typeof', 'unhex', 'unicode', 'unistr', 'unixepoch', 'unlikely', 'unnest', 'upper', 'var_pop', 'var_samp', 'variance', 'width_bucket', 'zeroblob', 'randomblob', 'generate_series', 'octet_length', '->', '->>'])

/**
 * PostgreSQL only: refuses every name through which a query could leave the readable tables. `hidden`: the other relations of the
 * database. A relation can only be reached by writing its name, or by a function that reads a text as SQL; so names are compared, and
 * functions must be on the list.
 */
export function refuseForeign(tokens: readonly Token[], hidden: ReadonlySet<string>, schemas: ReadonlySet<string>): void {
  for (const [i, token] of tokens.entries()) {
    if (token.kind !== 'word' && token.kind !== 'name') continue
    const name = token.kind === 'word' ? token.value.toLowerCase() : token.value
    const plain = name.toLowerCase()
    if (token.kind === 'word' && plain === 'u' && isSign(tokens[i + 1], '&'))
      throw new Fault('forbidden', 'Texts and names written as U&… are not read; write the characters themselves.')
    if (
      plain.startsWith('pg_') ||
      plain === 'information_schema' ||
      hidden.has(plain) ||
      (schemas.has(plain) && isSign(tokens[i + 1], '.'))
    )
      throw new Fault('forbidden', `"${name.slice(0, 60)}" cannot be read with this tool.`)
    if (token.kind === 'word' && plain === 'for' && /^(update|share|no|key)$/i.test(tokens[i + 1]?.value ?? ''))
      throw notReading('select for update')
    if (!isSign(tokens[i + 1], '(')) continue
    const known = PURE_FUNCTIONS.has(plain) || (token.kind === 'word' && BEFORE_PARENTHESIS.has(plain))
    const before = tokens[i - 1]?.value.toLowerCase()
    const named = tokens[i - 1]?.kind === 'word' && (before === 'with' || before === 'recursive' || before === 'as')
    if (!known && !named) throw new Fault('forbidden', `The function ${name.slice(0, 60)} cannot be used in this tool.`)
  }
  if (tokens[0]?.value.toLowerCase() === 'explain') throw new Fault('forbidden', 'EXPLAIN is not read here; write one SELECT.')
}
