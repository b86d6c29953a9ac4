import { beforeEach, describe, expect, test } from 'vitest'
import { Agent, Document, type RegistryKind, ToolEntry, type Versioned } from '../core/contract/registry.ts'
import type { Call, Capabilities, Tool } from '../core/tool.ts'
import addDocument from './add_document.ts'
import listAgents from './list_agents.ts'
import listDocuments from './list_documents.ts'
import listOptionalTools from './list_optional_tools.ts'
import readDocument from './read_document.ts'

type Entry = Versioned<Agent | Document | ToolEntry>
let rows: Record<RegistryKind, Entry[]>
let registry: Capabilities['registry']
const stamp = { version: 1, author: 'seed', updatedAt: '2026-01-01T00:00:00.000Z' }

beforeEach(() => {
  rows = { agent: [], document: [], tool: [] }
  registry = {
    list: async (kind) => rows[kind] as never,
    get: async (kind, name) => rows[kind].find((row) => row.name === name) as never,
    isAgents: async ({ author }) => author !== 'seed' && author !== 'owner',
    async saveDocument(document) {
      const at = rows.document.findIndex((row) => row.name === document.name)
      const version = at < 0 ? 1 : rows.document[at]!.version + 1
      rows.document.splice(at < 0 ? rows.document.length : at, 1, { ...document, ...stamp, version })
      return { version, created: at < 0 }
    },
  }
})
const use = async (tool: Tool, raw: Record<string, unknown> = {}) => {
  const outcome = await tool.call(raw, { id: 'c1', attempt: 1 } as Call, { registry } as Capabilities)
  if (outcome.kind !== 'answer') throw new Error(`not an answer: ${outcome.kind}`)
  return outcome
}

describe('lists', () => {
  test('of agents tell what each is for and has', async () => {
    const agent = { instruction: 'x', description: 'Breaks work\ndown.' }
    rows.agent = [
      { ...Agent.parse({ ...agent, name: 'task_breakdown' }), ...stamp },
      {
        ...Agent.parse({
          ...agent,
          name: 'task_evaluator',
          watcher: true,
          tools: ['query_database'],
          model: 'anthropic/x',
          web_search_allowed: true,
        }),
        ...stamp,
      },
      { ...Agent.parse({ ...agent, name: 'retired', enabled: false }), ...stamp },
    ]
    expect((await use(listAgents)).text).toBe(
      [
        'Agents: 2',
        '- task_breakdown: Breaks work down. (model: default)',
        '- task_evaluator: Breaks work down. (model: anthropic/x; tools: query_database; may search the web; looks at others)',
      ].join('\n'),
    )
  })

  test('of documents tell what each is about and its size', async () => {
    rows.document = [{ ...Document.parse({ name: 'guide', description: 'How to.', content: 'x'.repeat(120) }), ...stamp, version: 3 }]
    expect((await use(listDocuments)).text).toBe('Documents: 1\n- guide: How to. (version 3, 120 characters)')
  })

  test('of documents that fit some words leave out the others, and say so when none fits', async () => {
    const document = (name: string, description: string) => ({ ...Document.parse({ name, description, content: 'x' }), ...stamp })
    rows.document = [document('harvest', 'When apples are picked.'), document('taxes', 'What is paid in May.')]
    expect((await use(listDocuments, { query: 'paid in May' })).text).toBe(
      'Documents: 1\n- taxes: What is paid in May. (version 1, 1 characters)',
    )
    expect((await use(listDocuments, { query: 'zebra' })).text).toBe(
      'None of the 2 documents fits these words; try others, or leave them out.',
    )
  })

  test('of optional tools leave out the core and what is switched off', async () => {
    expect((await use(listOptionalTools)).text).toMatch(/no optional tools/)
    rows.tool = [
      { ...ToolEntry.parse({ name: 'end_task', description: 'x', core: true }), ...stamp },
      { ...ToolEntry.parse({ name: 'query_database', description: 'Reads tables.' }), ...stamp },
      { ...ToolEntry.parse({ name: 'old', description: 'x', enabled: false }), ...stamp },
    ]
    expect((await use(listOptionalTools)).text).toBe('Optional tools: 1\n- query_database: Reads tables.')
  })

  test('of many optional tools tell names, and of the best five what they do', async () => {
    rows.tool = [
      ...Array.from({ length: 60 }, (_, i) => ({
        ...ToolEntry.parse({ name: `mcp__bulk__tool_${i}`, description: `Does thing ${i}.`, origin: 'server' }),
        ...stamp,
      })),
      {
        ...ToolEntry.parse({ name: 'mcp__mail__send', description: 'Of the MCP server mail: "Sends a message."', origin: 'server' }),
        ...stamp,
      },
    ]
    const whole = (await use(listOptionalTools)).text
    expect(whole).toMatch(/^Optional tools: 61\. Call this again with `query`/)
    expect(whole).not.toContain('Sends a message')
    const found = (await use(listOptionalTools, { query: 'send a message to Ann' })).text.split('\n')
    expect(found).toEqual(['Optional tools: 61; these fit best', '- mcp__mail__send: Of the MCP server mail: "Sends a message."'])
    expect((await use(listOptionalTools, { query: 'mcp__bulk__tool_7' })).text.split('\n')[1]).toBe('- mcp__bulk__tool_7: Does thing 7.')
  })
})

describe('read_document', () => {
  test('gives a document with its version', async () => {
    rows.document = [{ ...Document.parse({ name: 'guide', description: 'How to.', content: '# Guide\n' }), ...stamp }]
    expect((await use(readDocument, { name: 'guide' })).text).toBe('guide (version 1, 8 characters): How to.\n\n# Guide\n')
  })

  test('pages a long one, and the pages together are the document', async () => {
    const content = Array.from({ length: 9_000 }, (_, i) => `line ${i} 𝄞`).join('\n') + '𝄞'.repeat(40_000)
    rows.document = [{ ...Document.parse({ name: 'long', description: 'x', content }), ...stamp }]
    let seen = ''
    for (let from = 0, pages = 0; ; pages++) {
      if (pages > 50) throw new Error('it does not end')
      const { text } = await use(readDocument, { name: 'long', from })
      const [, page, next] = /^[^\n]*\n\n([\s\S]*?)(?:\n\(\d+ characters are left; read on with from (\d+)\))?$/.exec(text)!
      expect(page!.isWellFormed()).toBe(true)
      seen += page
      if (!next) break
      from = Number(next)
    }
    expect(seen).toBe(content)
    expect((await use(readDocument, { name: 'long', from: 999_999 })).isError).toBe(true)
  })

  test('names those that exist when there is none of that name', async () => {
    rows.document = [{ ...Document.parse({ name: 'guide', description: 'x', content: '' }), ...stamp }]
    expect(await use(readDocument, { name: 'giude' })).toMatchObject({
      isError: true,
      text: 'There is no document "giude". There are: guide.',
    })
  })
})

describe('add_document', () => {
  const guide = { name: 'guide', description: 'How to.', content: '# Guide' }

  test('saves, refuses a name that exists, and replaces when told', async () => {
    expect((await use(addDocument, guide)).text).toBe('Saved the document "guide" as version 1 (new).')
    expect(await use(addDocument, { ...guide, content: 'other' })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/already \(version 1\): How to\..*"replace": true/),
    })
    expect((await use(addDocument, { ...guide, content: 'other', replace: true })).text).toBe('Saved the document "guide" as version 2.')
    expect(rows.document).toMatchObject([{ name: 'guide', content: 'other', version: 2 }])
  })

  test('done again with the same words saves nothing', async () => {
    await use(addDocument, guide)
    expect(await use(addDocument, guide)).toMatchObject({ text: expect.stringMatching(/exactly this already \(version 1\)/) })
    expect(rows.document).toHaveLength(1)
  })

  test('names the field that is not right', async () => {
    expect(await use(addDocument, { ...guide, name: 'My Guide' })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/a name is 1 to 64[\s\S]*name/),
    })
  })
})
