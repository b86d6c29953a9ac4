/** Fails when a file imports from where it may not: a higher layer, in a circle, past a tighter rule, or through a barrel. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** A file may import what stands in its own line or above. */
const LAYERS = [
  'core/contract',
  'core/config.ts',
  'core/store',
  'core/registry',
  'core/secrets',
  'core/auth',
  'core/coordination',
  'core/exec',
  'core/web',
  'core/git',
  'core/policy',
  'core/tasks',
  'core/models',
  'core/self',
  'core/observe',
  'core/learn',
  'core/tool.ts',
  'core/made',
  'tools',
  'core/agent',
  'core/mcp',
  'core/http',
  'core/runtime.ts',
  'core/main.ts',
  'scripts',
]
const within = (file: string, layer: string) => file === layer || file.startsWith(`${layer}/`)
const rank = (file: string) => LAYERS.findIndex((layer) => within(file, layer))
/** Tests may reach for anything; a suite is the part of a test that several tests share. */
const isTest = (file: string) => /\.(test|suite)\.tsx?$/.test(file) || /(^|\/)(fixtures?|e2e)\//.test(file)

type Import = { from: string; type: boolean }
const STATIC = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;()]*?\s*from\s*)?['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g

function importsOf(code: string): Import[] {
  return [
    ...[...code.matchAll(STATIC)].map(([, type, from]) => ({ from: from!, type: type !== undefined })),
    ...[...code.matchAll(DYNAMIC)].map(([, from]) => ({ from: from!, type: false })),
  ]
}

/** The reason why a file may not import that, or null. `to` is a path in the checkout, or a package's name. */
function refusal(file: string, { from }: Import, to: string | null): string | null {
  if (to === null) return within(file, 'core/contract') && from !== 'zod' ? 'core/contract imports only zod' : null
  if (/\.jsx?$/.test(from)) return `Node runs the TypeScript as it stands; write the ending of the real file`
  if (isTest(to)) return 'only tests import tests'
  if (within(file, 'web')) return within(to, 'web') || within(to, 'core/contract') ? null : 'web imports only web and core/contract'
  if (within(file, 'tools')) {
    return to === 'core/tool.ts' || within(to, 'core/contract')
      ? null
      : 'a tool imports only core/tool.ts, core/contract, node: and packages'
  }
  // A measurement of the page's data runs what the page runs.
  if (within(file, 'scripts/bench') && within(to, 'web/data')) return null
  if (rank(to) < 0) return 'it belongs to no layer'
  return rank(to) > rank(file) ? 'it is a higher layer' : null
}

/** Every fault, one sentence each. `files`: path in the checkout → text. */
export function faultsOf(files: ReadonlyMap<string, string>): string[] {
  const faults: string[] = []
  const graph = new Map<string, string[]>()
  for (const [file, text] of files) {
    if (/(^|\/)index\.tsx?$/.test(file)) faults.push(`${file} is a barrel by its name: name it after what it holds`)
    const code = text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '')
    const imports = importsOf(code)
    const resolve = (from: string) => (from.startsWith('.') ? posix.normalize(posix.join(posix.dirname(file), from)) : null)
    if (isTest(file)) {
      for (const { from } of imports)
        if (/^\..*\.js$/.test(from)) faults.push(`${file} may not import ${from}: write the ending of the real file`)
      continue
    }
    if (rank(file) < 0 && !within(file, 'web')) faults.push(`${file} belongs to no layer`)
    for (const one of imports) {
      const why = refusal(file, one, resolve(one.from))
      if (why) faults.push(`${file} may not import ${one.from}: ${why}`)
    }
    if (
      (within(file, 'core') || within(file, 'tools')) &&
      file !== 'core/config.ts' &&
      /\bprocess\s*(\.|\?\.)\s*env\b|\bprocess\[['"]env['"]\]|from ['"](node:)?process['"]/.test(code)
    ) {
      faults.push(`${file} reads the environment: only core/config.ts does, everything else gets arguments`)
    }
    graph.set(
      file,
      imports.filter((one) => !one.type).flatMap((one) => resolve(one.from) ?? []),
    )
  }
  return [...faults, ...circlesOf(graph)]
}

function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
    else if (!done.has(file)) {
      for (const to of graph.get(file) ?? []) visit(to, [...path, file])
      done.add(file)
    }
  }
  for (const file of graph.keys()) visit(file, [])
  return circles
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname)
  const paths = globSync('{core,tools,scripts,web}/**/*.{ts,tsx}', {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path),
  })
  const files = new Map(paths.filter((path) => !path.endsWith('.d.ts')).map((path) => [path, readFileSync(join(root, path), 'utf8')]))
  const faults = faultsOf(files)
  for (const fault of faults) console.error(fault)
  console.log(`${files.size} files, ${faults.length} faults`)
  process.exitCode = faults.length > 0 ? 1 : 0
}
