/** A tool's JSON Schema as a list of arguments that a person can read and fill in. Pure. What it does not know is JSON; the server checks all of it. */

type Schema = Readonly<Record<string, unknown>>
export type Arg = {
  name: string
  kind: 'text' | 'long' | 'whole' | 'number' | 'switch' | 'choice' | 'lines' | 'json'
  required: boolean
  about: string
  choices: readonly string[]
  /** As it would be typed; '' when there is none. */
  preset: string
  /** "text", "whole number, 1 to 30", "list of texts". */
  type: string
}
/** What is typed, by argument; '' is not given. */
export type Typed = Readonly<Record<string, string>>
export type Problem = 'needed' | 'whole' | 'number' | 'json'

/** A text that may be longer than this gets several lines. */
const LONG = 4_000

export function argsOf(schema: Schema | null): Arg[] {
  const required = Array.isArray(schema?.required) ? (schema.required as unknown[]) : []
  return Object.entries((schema?.properties ?? {}) as Record<string, Schema>).map(([name, raw]) => {
    const own = resolve(raw, schema ?? {})
    const kind = kindOf(own)
    return {
      name,
      kind,
      required: required.includes(name) && own.default === undefined,
      about: typeof raw.description === 'string' ? raw.description : typeof own.description === 'string' ? own.description : '',
      choices: kind === 'choice' ? (own.enum as string[]) : [],
      preset: own.default === undefined ? '' : typeof own.default === 'string' ? own.default : JSON.stringify(own.default),
      type: typeWords(own, schema ?? {}),
    }
  })
}

function kindOf(own: Schema): Arg['kind'] {
  if (Array.isArray(own.enum) && own.enum.every((one) => typeof one === 'string')) return 'choice'
  if (own.type === 'string') return typeof own.maxLength === 'number' && own.maxLength <= LONG ? 'text' : 'long'
  if (own.type === 'integer') return 'whole'
  if (own.type === 'number') return 'number'
  if (own.type === 'boolean') return 'switch'
  if (own.type === 'array' && (own.items as Schema | undefined)?.type === 'string') return 'lines'
  return 'json'
}

/** Follows a `$ref` into the schema's own `$defs`. */
function resolve(own: Schema, root: Schema): Schema {
  const [, name] = typeof own.$ref === 'string' ? (/^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(own.$ref) ?? []) : []
  const definitions = (root.$defs ?? root.definitions) as Record<string, Schema> | undefined
  return (name === undefined ? undefined : definitions?.[name]) ?? own
}

function typeWords(raw: Schema, root: Schema): string {
  const own = resolve(raw, root)
  if (own.const !== undefined) return JSON.stringify(own.const)
  if (Array.isArray(own.enum)) return own.enum.map((one) => JSON.stringify(one)).join(' | ')
  const anyOf = (own.anyOf ?? own.oneOf) as Schema[] | undefined
  if (Array.isArray(anyOf)) return [...new Set(anyOf.map((one) => typeWords(one, root)))].join(' | ')
  switch (own.type) {
    case 'string':
      return 'text'
    case 'integer':
      return `whole number${range(own)}`
    case 'number':
      return `number${range(own)}`
    case 'boolean':
      return 'yes or no'
    case 'array':
      return `list of ${own.items ? typeWords(own.items as Schema, root) : 'anything'}`
    case 'object': {
      const names = Object.keys((own.properties ?? {}) as object)
      return names.length > 0 ? `{ ${names.join(', ')} }` : 'object'
    }
    default:
      return 'anything'
  }
}
function range(own: Schema): string {
  const [least, most] = [own.minimum, own.maximum].map((one) =>
    typeof one === 'number' && Math.abs(one) < Number.MAX_SAFE_INTEGER ? one : null,
  )
  if (least !== null && most !== null) return `, ${least} to ${most}`
  return least !== null ? `, from ${least}` : most !== null ? `, at most ${most}` : ''
}

/** The arguments as they are sent, and what of them cannot be. Left out: what nothing was typed for. */
export function inputOf(
  args: readonly Arg[],
  typed: Typed,
): { input: Record<string, unknown>; problems: Readonly<Record<string, Problem>> } {
  const input: Record<string, unknown> = {}
  const problems: Record<string, Problem> = {}
  for (const { name, kind, required } of args) {
    const text = typed[name] ?? ''
    if (text === '') {
      if (required) problems[name] = 'needed'
      continue
    }
    if (kind === 'whole' || kind === 'number') {
      const value = Number(text)
      if (text.trim() === '' || !Number.isFinite(value) || (kind === 'whole' && !Number.isInteger(value))) problems[name] = kind
      else input[name] = value
    } else if (kind === 'switch') input[name] = text === 'true'
    else if (kind === 'lines') input[name] = text.split('\n').filter((line) => line !== '')
    else if (kind === 'json') {
      try {
        input[name] = JSON.parse(text)
      } catch {
        problems[name] = 'json' // told at the field
      }
    } else input[name] = text
  }
  return { input, problems }
}

/** The other way: arguments as they would have been typed. What the schema does not name is lost, which the caller can see by `unknown`. */
export function typedOf(args: readonly Arg[], input: Readonly<Record<string, unknown>>): { typed: Typed; unknown: string[] } {
  const typed: Record<string, string> = {}
  for (const { name, kind } of args) {
    const value = input[name]
    if (value === undefined) continue
    if (kind === 'lines' && Array.isArray(value)) typed[name] = value.map(String).join('\n')
    else typed[name] = kind !== 'json' && typeof value !== 'object' ? String(value) : JSON.stringify(value, null, 2)
  }
  return { typed, unknown: Object.keys(input).filter((name) => !args.some((arg) => arg.name === name)) }
}
