/**
 * Weak models write tool calls in their own ways: JSON with a trailing comma, Python quotes, a fence around it, or the whole call as
 * plain text. What can be read without guessing is read; the rest is handed on, so that the model is told what was wrong. Pure.
 */
import { jsonrepair } from 'jsonrepair'

/**
 * Arguments that could not be read. They travel as the call's input, no tool's schema accepts them, and so the tool layer answers with
 * an error that quotes them and the model can act on. A call is never dropped silently for its bad JSON.
 */
export const unparsed = (text: string): { __unparsed: string } => ({ __unparsed: text })

/** A call's arguments as an object: parsed, repaired if the repair adds no content, or `unparsed`. No text at all means no arguments. */
export function parseArguments(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  const value = readJson(text)
  if (value === null) return {}
  // Some servers encode the arguments twice.
  const inner = typeof value === 'string' ? readJson(value) : value
  return isObject(inner) ? inner : unparsed(text)
}

/** True when the text is complete JSON as it stands; what a length limit cut off is not. */
export function isWholeJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false // not JSON is the answer, not a failure
  }
}

export type TextCalls = { calls: { tool: string; input: unknown }[]; text: string }

/**
 * Tool calls that a model wrote as text instead of calling: `<tool_call>…</tool_call>`, a bare JSON object (or list of them), or the
 * reply's only fenced block. Taken only when it names an offered tool, carries arguments and nothing else; a tool's schema, an answer
 * that happens to be JSON, and an example among several are not calls. `text` is what remains beside the calls.
 */
export function callsInText(reply: string, offered: readonly string[]): TextCalls {
  const none = { calls: [], text: reply }
  if (offered.length === 0) return none
  const said = reply.replace(/^\s*<think>[\s\S]*?<\/think>/, '').trim()
  for (const [found, rest] of [tagged(said), bare(said), fenced(said)]) {
    const calls = found.map((piece) => asCalls(readJson(piece), offered))
    if (calls.length > 0 && calls.every((each) => each.length > 0)) return { calls: calls.flat(), text: rest.trim() }
  }
  return none
}

type Pieces = [pieces: string[], rest: string]

function tagged(said: string): Pieces {
  // Tags inside a fence are talk about calls.
  if (said.includes('```')) return [[], said]
  const tag = /<tool_call>([\s\S]*?)<\/tool_call>/g
  return [[...said.matchAll(tag)].map((match) => match[1]!), said.replace(tag, '')]
}

const bare = (said: string): Pieces => (/^[{[][\s\S]*[}\]]$/.test(said) ? [[said], ''] : [[], said])

function fenced(said: string): Pieces {
  const fence = /```(?:json|tool_call|tool)?[ \t]*\n([\s\S]*?)\n?[ \t]*```/g
  const found = [...said.matchAll(fence)]
  if (found.length !== 1 || said.split('```').length !== 3) return [[], said]
  return [[found[0]![1]!.trim()], said.replace(fence, '')]
}

const NAME_KEYS = ['name', 'tool', 'tool_name', 'function']
const ARGUMENT_KEYS = ['arguments', 'input', 'parameters', 'args']
const OTHER_KEYS = ['id', 'type']

function asCalls(value: unknown, offered: readonly string[]): { tool: string; input: unknown }[] {
  if (!Array.isArray(value)) return asCall(value, offered)
  const all = value.map((each) => asCall(each, offered))
  return all.every((each) => each.length > 0) ? all.flat() : []
}

/** One call, or none. */
function asCall(value: unknown, offered: readonly string[]): { tool: string; input: unknown }[] {
  if (!isObject(value)) return []
  if (isObject(value.function)) {
    const { function: inner, ...rest } = value
    return Object.keys(rest).every((key) => OTHER_KEYS.includes(key)) ? asCall(inner, offered) : []
  }
  const names = NAME_KEYS.filter((key) => key in value)
  const given = ARGUMENT_KEYS.filter((key) => key in value)
  if (names.length !== 1 || given.length !== 1) return []
  if (Object.keys(value).some((key) => ![...NAME_KEYS, ...ARGUMENT_KEYS, ...OTHER_KEYS].includes(key))) return []
  const tool = value[names[0]!]
  if (typeof tool !== 'string' || !offered.includes(tool)) return []
  const raw = value[given[0]!]
  const input = typeof raw === 'string' ? parseArguments(raw) : raw
  // `parameters` with `properties` is the tool's schema, repeated by the model.
  return isObject(input) && !(input.type === 'object' && 'properties' in input) ? [{ tool, input }] : []
}

/** JSON, or JSON after repair; undefined when reading it would need guessing. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const body = text
      .trim()
      .replace(/^```\w*\s*/, '')
      .replace(/\s*```$/, '')
    // jsonrepair also closes what was cut off and guesses where a missing bracket belongs. Half a file's content would then be written
    // as if it were whole, so only a text with all its quotes and brackets is repaired.
    if (!/^[{[][\s\S]*[}\]]$/.test(body) || !isBalanced(body)) return undefined
    try {
      return JSON.parse(jsonrepair(body))
    } catch {
      return undefined // beyond repair
    }
  }
}

function isBalanced(text: string): boolean {
  const plain = text.replace(/\\[\s\S]/g, '')
  const mark = plain.includes('"') ? '"' : "'"
  if (plain.split(mark).length % 2 === 0) return false
  const outside = plain.split(mark).filter((_, at) => at % 2 === 0)
  const count = (bracket: string) => outside.join('').split(bracket).length
  return count('{') === count('}') && count('[') === count(']')
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
