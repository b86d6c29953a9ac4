import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Agent } from '../contract/registry.ts'
import { CORE_MARKS, readAgentFile, readSeeds, writeAgentFile } from './read-seeds.ts'

const SEEDS = fileURLToPath(new URL('../../seeds', import.meta.url))
const agentFile = (front: string, body = 'Write well.') => `---\n${front}\n---\n\n${body}\n`

describe('the seeds of this checkout', () => {
  it('are the twelve agents, and those that judge or describe others are watchers', async () => {
    const { agents } = await readSeeds(SEEDS)
    expect(agents.map((agent) => agent.name)).toEqual([
      'agent_selector',
      'context_addition',
      'documentation_agent',
      'generalist',
      'interface',
      'researcher',
      'review_agent',
      'summary_agent',
      'supervisor',
      'task_breakdown',
      'task_evaluator',
      'tool_addition',
    ])
    expect(agents.filter((agent) => agent.watcher).map((agent) => agent.name)).toEqual([
      'documentation_agent',
      'review_agent',
      'summary_agent',
      'supervisor',
      'task_evaluator',
    ])
  })

  it('judge with tools that change nothing', async () => {
    const { agents } = await readSeeds(SEEDS)
    const evaluator = agents.find((agent) => agent.name === 'task_evaluator')!
    expect([...evaluator.tools].sort()).toEqual(['list_files', 'query_database', 'read_file', 'run_check', 'search_files'])
  })

  it('keep instructions within 60 lines and every document that stands in a prompt within 80', async () => {
    const { agents, documents } = await readSeeds(SEEDS)
    const lines = (text: string) => text.split('\n').length
    const inPrompts = new Set(agents.flatMap((agent) => agent.documents))
    const tooLong = [
      ...agents.filter((agent) => lines(agent.instruction) > 60),
      ...documents.filter((document) => inPrompts.has(document.name) && lines(document.content) > 80),
    ]
    expect(tooLong.map((entry) => entry.name)).toEqual([])
  })

  it('have one core instruction with a place for the agent, its documents and its tools', async () => {
    const { documents } = await readSeeds(SEEDS)
    const core = documents.find((document) => document.name === 'core_instruction')!
    for (const mark of CORE_MARKS) expect(core.content).toContain(mark)
    expect(core.content.match(/\{[a-z_]+\}/g)).toHaveLength(CORE_MARKS.length)
  })

  it('describe in tool_registry every optional tool and in agent_registry every agent', async () => {
    const { agents, documents, tools } = await readSeeds(SEEDS)
    const content = (name: string) => documents.find((document) => document.name === name)!.content
    for (const tool of tools.filter((entry) => !entry.core)) expect(content('tool_registry')).toContain(`\`${tool.name}\``)
    for (const agent of agents) expect(content('agent_registry')).toContain(`\`${agent.name}\``)
  })
})

describe('a mistake in a seed', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'seeds-'))
    await cp(SEEDS, folder, { recursive: true })
  })
  afterEach(() => rm(folder, { recursive: true }))
  const write = (file: string, text: string) => writeFile(join(folder, file), text)
  const change = async (file: string, from: string | RegExp, to: string) => {
    const text = await readFile(join(folder, file), 'utf8')
    expect(text).toMatch(from)
    await write(file, text.replace(from, to))
  }
  const problem = () =>
    readSeeds(folder).then(
      () => 'no fault',
      (fault) => `${fault.code} ${fault.message.replaceAll(folder, 'seeds')}`,
    )

  it('names the file and the field that has a wrong value', async () => {
    await change('agents/generalist.md', /max_turns: \d+/, 'max_turns: many')
    expect(await problem()).toBe(
      'invalid seeds/agents/generalist.md: the field max_turns is not right: Invalid input: expected number, received string.',
    )
  })
  it('names a misspelt field instead of passing it over', async () => {
    await change('agents/generalist.md', 'max_turns:', 'max_turn:')
    expect(await problem()).toBe('invalid seeds/agents/generalist.md: the field max_turn is unknown and was left out.')
  })
  it('names the place of a tool entry with a field too many', async () => {
    await write('tools.yml', '- { name: read_file, description: Reads., colour: red }\n')
    expect(await problem()).toBe('invalid seeds/tools.yml: the field 0.colour is unknown; remove it or mend its spelling.')
  })
  it('names a tool that is listed twice', async () => {
    await write('tools.yml', '- { name: read_file, description: Reads. }\n- { name: read_file, description: Reads. }\n')
    expect(await problem()).toBe('invalid seeds: the name read_file is used twice; rename one of them.')
  })
  it('names the tool that an agent asks for and nobody has', async () => {
    await change('agents/task_evaluator.md', /tools: .*/, 'tools: read_mind')
    expect(await problem()).toMatch(/^invalid seeds\/agents\/task_evaluator\.md: the field tools names read_mind/)
  })
  it('names the document that an agent asks for and nobody has', async () => {
    await change('agents/task_evaluator.md', /documents: .*/, 'documents: [secrets]')
    expect(await problem()).toMatch(/^invalid seeds\/agents\/task_evaluator\.md: the field documents names secrets/)
  })
  it('names a file whose name is not that of what is in it', async () => {
    await write('agents/poet.md', agentFile('name: writer\ndescription: Writes.'))
    expect(await problem()).toBe('invalid seeds/agents/poet.md: the field name is writer, but by its place it must be poet.')
  })
  it('names a core instruction that lost one of its marks', async () => {
    await change('core-instruction.md', '{documents}', '')
    expect(await problem()).toBe('invalid seeds/core-instruction.md: {documents} must stand in the text exactly once.')
  })
  it('names a file without front matter, and one whose front matter is no YAML', async () => {
    await write('documents/loose.md', 'Just words.\n')
    expect(await problem()).toMatch(/^invalid seeds\/documents\/loose\.md: it must begin with front matter/)
    await write('documents/loose.md', '---\nname: [loose\n---\n\nWords.\n')
    expect(await problem()).toMatch(/^invalid seeds\/documents\/loose\.md: its YAML cannot be read: /)
  })
  it('names a part of the seeds that is not there', async () => {
    await rm(join(folder, 'tools.yml'))
    expect(await problem()).toBe('invalid seeds/tools.yml cannot be read (ENOENT).')
    await rm(join(folder, 'agents'), { recursive: true })
    expect(await problem()).toBe('invalid seeds/agents cannot be read (ENOENT); the seeds belong there.')
  })
})

describe('an agent as a file', () => {
  it('comes back as it was, whatever is in it', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/)
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })
    const words = fc.string({ minLength: 1, maxLength: 80 })
    const agents = fc.record(
      {
        name,
        description: fc.oneof(text, words, fc.constant('null'), fc.constant('first\n---\nsecond: #1')),
        instruction: fc.oneof(text, fc.constant('\n\nlines\r\n\r'), fc.constant('---\nname: other\n---\n')),
        documents: fc.uniqueArray(name, { maxLength: 3 }),
        tools: fc.uniqueArray(name, { maxLength: 3 }),
        model: fc.constantFrom('default', 'playbook', 'openai/qwen3:8b', 'openrouter/vendor/model'),
        capabilities: fc.array(
          words.map((word) => word.slice(0, 64)),
          { maxLength: 3 },
        ),
        watcher: fc.boolean(),
        enabled: fc.boolean(),
        web_search_allowed: fc.boolean(),
        max_turns: fc.integer({ min: 1, max: 10_000 }),
        timeout_seconds: fc.integer({ min: 1, max: 31_536_000 }),
      },
      { requiredKeys: ['name', 'description', 'instruction'] },
    )
    fc.assert(
      fc.property(agents, (given) => {
        const agent = Agent.parse(given)
        expect(readAgentFile(writeAgentFile(agent), 'x.md')).toEqual({ agent, warnings: [] })
      }),
      { numRuns: 500 },
    )
  })

  it('may be a subagent of Claude Code: what both have is carried over, the rest is named', () => {
    const file = agentFile(
      [
        'name: code-reviewer',
        'description: Reviews code.',
        'tools: Read, Grep, Glob, Bash(git log:*, git diff:*), WebFetch, Task',
        'model: sonnet',
        'maxTurns: 12',
        'color: purple',
      ].join('\n'),
      'You review code.\n\nBe brief.',
    )
    const { agent, warnings } = readAgentFile(file, 'code-reviewer.md')
    expect(agent).toEqual(
      Agent.parse({
        name: 'code-reviewer',
        description: 'Reviews code.',
        instruction: 'You review code.\n\nBe brief.',
        tools: ['read_file', 'search_files', 'list_files', 'use_terminal'],
        max_turns: 12,
      }),
    )
    expect(warnings).toEqual([
      'code-reviewer.md: the field color is unknown and was left out.',
      'code-reviewer.md: the tool WebFetch has no match here and was left out.',
      'code-reviewer.md: the model sonnet has no provider before it (provider/model), so the default model is used.',
    ])
  })

  it('may have a colon in its description, as the files of others often do', () => {
    const { agent } = readAgentFile(agentFile('name: writer\ndescription: Use it when: a text is needed. Not for: "code"'), 'writer.md')
    expect(agent.description).toBe('Use it when: a text is needed. Not for: "code"')
  })

  it('may have Windows line ends and a byte order mark', () => {
    const file = `\uFEFF${agentFile('name: writer\ndescription: Writes.', 'One.\nTwo.').replaceAll('\n', '\r\n')}`
    expect(readAgentFile(file, 'writer.md').agent).toMatchObject({ name: 'writer', instruction: 'One.\nTwo.' })
  })

  it('needs an instruction', () => {
    expect(() => readAgentFile('---\nname: writer\ndescription: Writes.\n---\n', 'writer.md')).toThrow(
      'writer.md: the field instruction is not right',
    )
  })
})
