/** What a tool of somebody else's server is: its definition as it was seen, what names it, and what became of it since a person looked. Pure. */
import { createHash } from 'node:crypto'
import type { ServerToolState } from '../contract/api-servers.ts'
import { checkOf, MOST_SCHEMA, type Schema, unfitFor } from './hub-schema.ts'
import { cleaned, cleanedLine, diffOf } from './hub-words.ts'

export type Definition = {
  title: string | null
  description: string
  inputSchema: Schema
  outputSchema: Schema | null
  /** What the server says of it, unproven. */
  hints: { readOnly: boolean; destructive: boolean }
}
export type Seen = { name: string; sha: string; definition: Definition; problem: string | null }
export type HeldTool = {
  /** Its name for agents. */
  tool: string
  name: string
  sha: string
  definition: Definition
  approvedSha: string | null
  approved: Definition | null
  state: ServerToolState
  problem: string | null
}

/** Tools that are taken from one server; the first ones that it names. */
export const MOST_TOOLS = 200
/** Characters of a description that are kept. */
const MOST_DESCRIPTION = 4_000
const LONGEST_NAME = 60

/** As the SDK read it from the wire. */
export type Offered = {
  name: string
  title?: string | undefined
  description?: string | undefined
  inputSchema: object
  outputSchema?: object | undefined
  annotations?: { title?: string | undefined; readOnlyHint?: boolean | undefined; destructiveHint?: boolean | undefined } | undefined
}

/** The hash is of all that was said, also of what is cut. */
export function seenOf(offered: Offered): Seen {
  const { name, description = '', inputSchema, outputSchema, annotations } = offered
  const said = [name, offered.title ?? null, description, inputSchema, outputSchema ?? null, annotations ?? null]
  const large = [inputSchema, outputSchema ?? {}].some((schema) => JSON.stringify(schema).length > MOST_SCHEMA)
  const definition: Definition = {
    title: offered.title === undefined ? null : cleanedLine(offered.title, 100),
    description: cleaned(description, MOST_DESCRIPTION),
    inputSchema: large ? { type: 'object' } : (inputSchema as Schema),
    outputSchema: large || outputSchema === undefined ? null : (outputSchema as Schema),
    hints: { readOnly: annotations?.readOnlyHint === true, destructive: annotations?.destructiveHint === true },
  }
  return { name, sha: createHash('sha256').update(canonical(said)).digest('hex'), definition, problem: problemIn(name, large, definition) }
}
function problemIn(name: string, large: boolean, { inputSchema, outputSchema }: Definition): string | null {
  if (!/^[\x21-\x7e]{1,128}$/.test(name)) return 'its name is no name of a tool'
  if (large) return `its schema has more than ${MOST_SCHEMA} characters`
  const unfit = unfitFor(inputSchema)
  if (unfit !== null) return unfit
  for (const schema of [inputSchema, outputSchema ?? {}]) {
    const checked = checkOf(schema)
    if ('problem' in checked) return checked.problem
  }
  return null
}
/** The order of keys says nothing. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical((value as Schema)[key])}`).join()}}`
}

/** `mcp__server__tool`, at most 60 characters; a hash at its end where it had to be cut or somebody has it already. */
export function toolName(server: string, name: string, taken: (tool: string) => boolean): string {
  const whole = `mcp__${server}__${name.toLowerCase().replace(/[^a-z0-9_-]/g, '_')}`
  if (whole.length <= LONGEST_NAME && !taken(whole)) return whole
  const hash = createHash('sha256').update(`${server}\0${name}`).digest('hex').slice(0, 8)
  return `${whole.slice(0, LONGEST_NAME - 9)}_${hash}`
}

/** What a look at a server makes of what is known of its tools. `gone`: was never approved, and is forgotten. */
export function compared(
  server: string,
  held: readonly HeldTool[],
  seen: readonly Seen[],
): { tools: HeldTool[]; forget: string[]; differs: HeldTool[] } {
  const names = new Set(held.map((one) => one.tool))
  const before = new Map(held.map((one) => [one.name, one]))
  const tools = seen.map((one): HeldTool => {
    const old = before.get(one.name)
    before.delete(one.name)
    const { approved = null, approvedSha = null } = old ?? {}
    const tool = old?.tool ?? toolName(server, one.name, (name) => names.has(name))
    names.add(tool)
    const same = approvedSha === one.sha
    const state = one.problem !== null ? 'unusable' : approvedSha === null ? 'pending' : same ? 'approved' : 'changed'
    return { ...one, tool, approved, approvedSha, state }
  })
  const missing = [...before.values()]
  const gone = missing.filter((one) => one.approvedSha !== null).map((one): HeldTool => ({ ...one, state: 'gone', problem: null }))
  const forget = missing.filter((one) => one.approvedSha === null).map((one) => one.tool)
  const known = held.some((one) => one.approvedSha !== null)
  const was = new Map(held.map((one) => [one.tool, one]))
  const differs = [...tools, ...gone].filter((one) => {
    const old = was.get(one.tool)
    if (one.state === 'approved') return false
    if (old === undefined) return known && one.state === 'pending'
    return old.approvedSha !== null && (old.state !== one.state || old.sha !== one.sha)
  })
  return { tools: [...tools, ...gone], forget, differs }
}

/** A definition as people read it. */
const written = ({ title, description, inputSchema, outputSchema, hints }: Definition): string =>
  [
    ...(title === null ? [] : [`title: ${title}`]),
    `description: ${description}`,
    `hints: ${JSON.stringify(hints)}`,
    `input: ${JSON.stringify(inputSchema, null, 2)}`,
    ...(outputSchema === null ? [] : [`output: ${JSON.stringify(outputSchema, null, 2)}`]),
  ].join('\n')

/** What is other than was approved; null: nothing, or nothing was approved. At most 8,000 characters. */
export function changeIn({ approved, definition, sha, approvedSha, state }: HeldTool): string | null {
  if (approved === null) return null
  if (state === 'gone') return '- the server does not offer it any more'
  if (sha === approvedSha) return null
  return cleaned(diffOf(written(approved), written(definition)), 8_000) || 'what was cut from its words is other than it was'
}
