/** Words that name something in this checkout are held to it: paths, npm scripts, tools and their arguments. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readSeeds } from '../core/registry/read-seeds.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const PAGES = ['README.md', 'AGENTS.md', ...globSync('seeds/documents/*.md', { cwd: ROOT }).sort()]
const SEEDS = globSync('seeds/**/*.md', { cwd: ROOT }).sort()
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const all = (pattern: RegExp, page: string) => [...page.matchAll(pattern)].map((found) => found[1]!)

const IN_CHECKOUT = /^(?:\.\/)?(?:core|tools|seeds|web|scripts|docs|\.ci)(?:\/\S*)?$/
const AT_ROOT = /^(?:LICENSE|[\w.-]+\.(?:md|json|ts|mjs|yml))$/

/** Every path that a page names. Agents read the documents beside their own workspace, so there a bare file name is one of theirs. */
function pathsIn(file: string): string[] {
  const page = text(file)
  const links = all(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g, page).map((to) => posix.join(posix.dirname(file), to))
  const words = [...all(/`([^`\n]+)`/g, page), ...all(/```[^\n]*\n([\s\S]*?)```/g, page)].flatMap((code) => code.split(/[\s"'=,;]+/))
  const named = words.filter((word) => IN_CHECKOUT.test(word) || (!file.startsWith('seeds/') && AT_ROOT.test(word)))
  return [...new Set([...links, ...named])].sort()
}
const exists = (path: string) => (path.includes('*') ? globSync(path, { cwd: ROOT }).length > 0 : existsSync(join(ROOT, path)))

type ToolFile = { name: string; inputSchema: { properties?: Record<string, unknown> } }
async function toolFiles(): Promise<Map<string, ToolFile>> {
  const files = globSync('tools/*.ts', { cwd: ROOT }).filter((file) => !file.endsWith('.test.ts'))
  const tools = new Map<string, ToolFile>()
  for (const file of files) {
    const module: Record<string, unknown> = await import(pathToFileURL(join(ROOT, file)).href)
    for (const thing of Object.values(module)) {
      const tool = thing as ToolFile | null
      if (tool && typeof tool === 'object' && tool.name === posix.basename(file, '.ts') && tool.inputSchema) tools.set(tool.name, tool)
    }
  }
  return tools
}

describe.each(PAGES)('%s', (file) => {
  it('names only paths that exist', () => {
    expect(pathsIn(file).filter((path) => !exists(path))).toEqual([])
  })
  it('names only npm scripts that exist', () => {
    const scripts = Object.keys(JSON.parse(text('package.json')).scripts)
    const named = all(/\bnpm (?:run )?((?<=run )[\w:-]+|start|test)\b/g, text(file))
    expect(named.filter((name) => !scripts.includes(name))).toEqual([])
  })
})

it('the two pages for newcomers name paths and scripts at all', () => {
  for (const file of ['README.md', 'AGENTS.md']) expect(pathsIn(file).length).toBeGreaterThan(5)
  expect(text('README.md')).toMatch(/npm start[\s\S]*npm test/)
})

it('a call written in the seeds is one of a tool that exists, with arguments that it takes', async () => {
  const tools = await toolFiles()
  const wrong: string[] = []
  let calls = 0
  for (const file of SEEDS) {
    for (const [call, name, list] of text(file).matchAll(/`([a-z_]+)\(([^`)]*)\)`/g)) {
      calls++
      const properties = tools.get(name!)?.inputSchema.properties
      const given = list!.split(',').map((word) => word.split(':')[0]!.trim())
      const unknown = given.filter((word) => word && !Object.hasOwn(properties ?? {}, word))
      if (!properties) wrong.push(`${file}: ${call} is no tool`)
      else if (unknown.length > 0) wrong.push(`${file}: ${call} does not take ${unknown.join(', ')}`)
    }
  }
  expect(calls).toBeGreaterThan(5)
  expect(wrong).toEqual([])
})

it('the seeded tool registry and the files in tools/ are the same tools', async () => {
  const { tools } = await readSeeds(join(ROOT, 'seeds'))
  expect(tools.map((tool) => tool.name)).toEqual([...(await toolFiles()).keys()].sort())
})
