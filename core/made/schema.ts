/**
 * JSON Schema 2020-12 as agents may write it for their tools: a bounded part of it, so that checking a value takes time that grows with the
 * value alone. No references (a few lines of them grow without end), no expressions that can run for ever (patterns are of RE2, which reads
 * each character once), no comparisons of all with all. In this part draft-07 and 2020-12 mean the same.
 */
import { Ajv } from '@modelcontextprotocol/server/validators/ajv'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import { MADE_SCHEMA_LIMIT } from '../contract/made-tool.ts'

export type Schema = Record<string, unknown>

const MOST_SCHEMAS = 400
const DEEPEST = 16
const LONGEST_PATTERN = 300
const UNIQUE_ITEMS = 1_000

/** Keywords that hold no schema. */
// biome-ignore format: lines by kind
const PLAIN = new Set([
  ...['$schema', '$comment', 'title', 'description', 'default', 'examples', 'deprecated', 'format', 'type', 'enum', 'const'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'required'],
])
const ONE = new Set(['items', 'not', 'additionalProperties', 'propertyNames', 'contains'])
const MANY = new Set(['anyOf', 'oneOf', 'allOf'])
const NAMED = new Set(['properties'])
const KNOWN = [...PLAIN, ...ONE, ...MANY, ...NAMED]

/** Why a schema cannot be that of a tool's input (or output), in one sentence; null when it can. */
export function problemInSchema(schema: unknown, of: 'input' | 'output'): string | null {
  if (!isObject(schema)) return `The ${of} schema must be an object such as {"type":"object","properties":{…}}.`
  if (JSON.stringify(schema).length > MADE_SCHEMA_LIMIT) return `The ${of} schema is longer than ${MADE_SCHEMA_LIMIT} characters.`
  if (of === 'input' && schema.type !== 'object') return 'The input schema must have "type": "object": arguments have names.'
  let count = 0
  const look = (at: unknown, path: string, depth: number): string | null => {
    if (typeof at === 'boolean') return null
    if (!isObject(at)) return `The ${of} schema is not right at ${path}: a schema is an object.`
    if (++count > MOST_SCHEMAS) return `The ${of} schema holds more than ${MOST_SCHEMAS} schemas.`
    if (depth > DEEPEST) return `The ${of} schema is nested deeper than ${DEEPEST} levels.`
    for (const [key, value] of Object.entries(at)) {
      const place = `${path}/${key.slice(0, 60)}`
      const wrong = ofKeyword(at, key, value, place)
      if (wrong !== null) return wrong
      const inner: [string, unknown][] = ONE.has(key)
        ? [[place, value]]
        : MANY.has(key) && Array.isArray(value)
          ? value.map((one, i) => [`${place}/${i}`, one])
          : NAMED.has(key) && isObject(value)
            ? Object.entries(value).map(([name, one]) => [`${place}/${name.slice(0, 60)}`, one])
            : []
      for (const [where, one] of inner) {
        const found = look(one, where, depth + 1)
        if (found !== null) return found
      }
    }
    return null
  }
  const ofKeyword = (at: Schema, key: string, value: unknown, place: string): string | null => {
    if (!PLAIN.has(key) && !ONE.has(key) && !MANY.has(key) && !NAMED.has(key))
      return `The ${of} schema uses ${JSON.stringify(key.slice(0, 60))} at ${place}, which tools may not; write it out with ${KNOWN.filter((one) => !one.startsWith('$')).join(', ')}.`
    if (key === 'pattern') return problemInPattern(value, place)
    if (key === 'uniqueItems' && value === true && !(typeof at.maxItems === 'number' && at.maxItems <= UNIQUE_ITEMS))
      return `"uniqueItems" at ${place} needs "maxItems" of at most ${UNIQUE_ITEMS} beside it, or a check in the source.`
    return null
  }
  const found = look(schema, '#', 0)
  if (found !== null) return found
  try {
    compile(schema)
    return null
  } catch (error) {
    return `The ${of} schema is not valid JSON Schema 2020-12: ${error instanceof Error ? error.message.slice(0, 300) : 'it cannot be read'}.`
  }
}

/** Says what is wrong with a value, one line; null when it is right. The schema is one that `problemInSchema` accepts. */
export function checkerOf(schema: Schema): (value: unknown) => string | null {
  const validate = compile(schema)
  return (value) => {
    try {
      if (validate(value)) return null
    } catch (error) {
      if (error instanceof RangeError) return 'the value is nested too deeply'
      throw error
    }
    const [first] = validate.errors ?? []
    if (!first) return 'it does not fit the schema'
    const more = first.params as Record<string, unknown>
    const named = more.additionalProperty ?? more.allowedValues
    return `${first.instancePath || 'the value'} ${first.message ?? 'is not right'}${named === undefined ? '' : ` (${JSON.stringify(named).slice(0, 200)})`}`
  }
}

const compile = (schema: Schema) => {
  const { $schema: _, ...body } = schema
  // One instance a schema: nothing of another tool's is in its reach, and nothing stays in memory with it.
  return new Ajv({ strict: false, validateFormats: false, allErrors: false, code: { regExp: linear } }).compile(body)
}
/** Patterns in RE2, in the shape in which ajv wants them. */
const linear = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    return { test: (text: string) => compiled.matcher(text).find() } as unknown as RegExp
  },
  { code: 'linear' },
)

function problemInPattern(value: unknown, place: string): string | null {
  if (typeof value !== 'string') return `The pattern at ${place} must be a text.`
  if (value.length > LONGEST_PATTERN) return `The pattern at ${place} is longer than ${LONGEST_PATTERN} characters; check it in the source.`
  try {
    RE2JS.compile(value)
    return null
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    return `The pattern at ${place} is not one of RE2 (no look-around, no back-references): ${error.message.slice(0, 200)}; write it without, or check it in the source.`
  }
}
const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
