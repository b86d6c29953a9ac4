/** What can be said of a draft of a tool without running it. Pure. Each problem is one sentence: cause and mend. */
import { builtinModules, stripTypeScriptTypes } from 'node:module'
import type { Draft } from '../contract/made-tool.ts'
import { problemInSchema } from './schema.ts'

/** `taken`: names of all tools that nobody made here. */
export function problemInDraft(draft: Draft, taken: Iterable<string>): string | null {
  return (
    problemInName(draft.name, taken) ??
    problemInSchema(draft.input_schema, 'input') ??
    (draft.output_schema === undefined ? null : problemInSchema(draft.output_schema, 'output')) ??
    problemInCode(draft.source, 'source') ??
    problemInSource(draft.source) ??
    problemInCode(draft.tests, 'tests') ??
    problemInTests(draft.tests)
  )
}

/** Two names that read alike to a model are one name. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')

export function problemInName(name: string, taken: Iterable<string>): string | null {
  if (name.startsWith('mcp_')) return `A tool cannot be named "${name}": names with mcp_ are those of connected servers.`
  const own = plain(name)
  for (const other of taken) {
    if (plain(other) === own) return `There is a tool "${other}", and "${name}" reads the same; choose another name.`
    if (`${other}_`.startsWith(`${name}_`) || `${name}_`.startsWith(`${other}_`))
      return `The name "${name}" could be taken for a kind of the tool "${other}"; choose one that begins with another word.`
  }
  return null
}

const NODE = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]))
const IMPORTS = /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g
const importsOf = (code: string): string[] => [...code.matchAll(IMPORTS)].map(([, a, b, c]) => (a ?? b ?? c)!)

function problemInCode(code: string, what: 'source' | 'tests'): string | null {
  try {
    // A tool is one file of this; a module of another kind would fail in a way that says less.
    const stripped = stripTypeScriptTypes(code)
    const own = what === 'tests' ? ['./tool.ts'] : []
    const other = importsOf(stripped).find((from) => !own.includes(from) && !(NODE.has(from) && from.startsWith('node:')))
    if (other === undefined) return null
    return `The ${what} imports "${other}", which is not there; ${what === 'tests' ? "tests import './tool.ts' and" : 'a tool imports'} modules of Node only, with the prefix node: (such as "node:crypto").`
  } catch (error) {
    const said = error instanceof Error ? error.message.trim().split('\n').slice(0, 4).join(' ').slice(0, 400) : 'it cannot be read'
    return `The ${what} is not TypeScript that Node can run (types are taken away; no enum, namespace or parameter property): ${said}`
  }
}
function problemInSource(source: string): string | null {
  if (/\bexport\s+default\b|\bas\s+default\b/.test(source)) return null
  return 'The source has no default export; write "export default async function (input, ctx) { … return output }".'
}
function problemInTests(tests: string): string | null {
  if (!importsOf(tests).includes('./tool.ts')) return `The tests do not import the tool; write "import tool from './tool.ts'".`
  if (!importsOf(tests).includes('node:test')) return `The tests are not of node:test; write "import test from 'node:test'".`
  if (!/\b(rejects|throws)\s*\(/.test(tests))
    return 'No test covers an error; add one that calls the tool with input it must refuse and checks with assert.rejects that it does.'
  return null
}
