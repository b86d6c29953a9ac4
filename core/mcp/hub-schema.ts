/**
 * JSON Schemas of other people's tools. A schema is a program that its writer lets run here, over data that the same writer may choose: a
 * pattern can take years, references can double the work at each step. So what is checked here is a plain part of it, whose cost grows with the
 * size of schema and data and no faster; what it leaves out is for the server itself to check.
 */
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv'

/** Characters that one schema may have as JSON. */
export const MOST_SCHEMA = 30_000
/** Characters of an argument's description that a model reads. */
const MOST_WORDS = 600
const DEEPEST = 30

export type Schema = Record<string, unknown>
/** null: it fits; else where it does not, in one line. */
export type Check = (value: unknown) => string | null

const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength', 'minItems', 'maxItems']
const PLAIN = ['type', 'enum', 'const', 'required', ...NUMBERS, 'minProperties', 'maxProperties']
const OF_ONE = ['items', 'additionalProperties', 'not']
const OF_LIST = ['anyOf', 'oneOf', 'allOf', 'prefixItems']

/** The part that is checked. A reference stands for anything, so nothing is followed. */
function plainPart(schema: unknown, depth = 0): unknown {
  if (typeof schema === 'boolean') return schema
  if (!isObject(schema) || depth > DEEPEST || '$ref' in schema || '$dynamicRef' in schema) return true
  const part: Schema = {}
  for (const key of PLAIN) if (key in schema) part[key] = schema[key]
  for (const key of OF_ONE) if (key in schema) part[key] = Array.isArray(schema[key]) ? true : plainPart(schema[key], depth + 1)
  // What is not looked at whole must not be denied.
  if (isObject(schema.not)) delete part.not
  for (const key of OF_LIST) {
    const list = schema[key]
    if (Array.isArray(list)) part[key] = key === 'oneOf' && !list.every(isPlain) ? [true] : list.map((one) => plainPart(one, depth + 1))
  }
  if (isObject(schema.properties))
    part.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, plainPart(one, depth + 1)]))
  // Properties that a pattern allows would count as additional.
  if ('patternProperties' in schema || 'unevaluatedProperties' in schema) delete part.additionalProperties
  return part
}
/** Says all that it means in words that are checked here: "exactly one fits" can only be told of such. */
const isPlain = (schema: unknown): boolean =>
  isObject(schema) && Object.keys(schema).every((key) => PLAIN.includes(key) || key === 'description' || key === 'title')

/** A check, or why there can be none. */
export function checkOf(schema: Schema): { check: Check } | { problem: string } {
  if (JSON.stringify(schema).length > MOST_SCHEMA) return { problem: `its schema has more than ${MOST_SCHEMA} characters` }
  try {
    const validate = new AjvJsonSchemaValidator().getValidator(plainPart(schema) as never)
    return {
      check(value) {
        try {
          const said = validate(value)
          return said.valid ? null : said.errorMessage.slice(0, 500)
        } catch (error) {
          if (error instanceof RangeError) return 'it is nested too deeply'
          throw error
        }
      },
    }
  } catch (error) {
    return { problem: `its schema is no JSON Schema (${(error as Error).message.slice(0, 200)})` }
  }
}

/** Why no model can be given it; null: it can. Providers refuse a whole request for one such schema. */
export function unfitFor(schema: Schema): string | null {
  if (schema.type !== 'object') return 'its arguments are no object'
  const strange = namesIn(schema).find((name) => !/^[a-zA-Z0-9_.-]{1,64}$/.test(name))
  return strange === undefined ? null : `it has an argument with a name that models cannot write (${JSON.stringify(strange.slice(0, 40))})`
}
function namesIn(schema: unknown, depth = 0): string[] {
  if (!isObject(schema) || depth > DEEPEST) return []
  const own = isObject(schema.properties) ? Object.keys(schema.properties) : []
  return [
    ...own,
    ...Object.values(schema)
      .flatMap((one) => (Array.isArray(one) ? one : [one]))
      .flatMap((one) => namesIn(one, depth + 1)),
  ]
}

/** What a model is given: words without unseen characters and of bounded length, and none of the keywords that providers refuse. */
export function forModel(schema: Schema, clean: (text: string, most: number) => string): Schema {
  const { anyOf: _any, oneOf: _one, allOf: _all, not: _not, $schema: _schema, $id: _id, ...rest } = schema
  const walk = (value: unknown, depth: number): unknown => {
    if (depth > DEEPEST) return {}
    if (Array.isArray(value)) return value.map((one) => walk(one, depth + 1))
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        key,
        (key === 'description' || key === 'title' || key === '$comment') && typeof one === 'string'
          ? clean(one, MOST_WORDS)
          : walk(one, depth + 1),
      ]),
    )
  }
  return walk(rest, 0) as Schema
}

export const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
