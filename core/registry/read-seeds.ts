/**
 * Reads the seed files into the shapes of the registry, and turns an agent into a file and back. Seeds are what a new installation knows on
 * its first start; who stores them decides what a later start may replace. Agents are Markdown with YAML front matter, the format of Claude
 * Code subagents, so that agents can be carried over in both directions.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify, YAMLParseError } from 'yaml'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { Agent, Document, ToolEntry } from '../contract/registry.ts'

export type Seeds = { agents: Agent[]; documents: Document[]; tools: ToolEntry[] }

/** Where the prompt's own texts go in the document `core_instruction`. Each stands in it exactly once. */
export const CORE_MARKS = ['{agent_instruction}', '{documents}', '{tools}'] as const
const CORE = 'core_instruction'

/**
 * Reads `agents/*.md`, `documents/*.md`, `core-instruction.md` and `tools.yml` below `folder`, each list ordered by name. Rejects with a
 * Fault `invalid` that names the file and the field when one cannot be used, has a field nobody reads, or names a tool or document that
 * no seed has. Writes nothing.
 */
export async function readSeeds(folder: string): Promise<Seeds> {
  const agents = (await filesIn(join(folder, 'agents'), '.md')).map(({ file, stem, text }) => {
    const { agent, warnings } = readAgentFile(text, file)
    if (warnings[0] !== undefined) throw new Fault('invalid', warnings[0])
    return named(agent, stem, file)
  })
  const documents = (await filesIn(join(folder, 'documents'), '.md')).map(({ file, stem, text }) =>
    named(readDocument(text, file), stem, file),
  )
  const coreFile = join(folder, 'core-instruction.md')
  documents.push(checkCore(named(readDocument(await textOf(coreFile), coreFile), CORE, coreFile), coreFile))
  const toolsFile = join(folder, 'tools.yml')
  const tools = checked(z.array(ToolEntry.strict()), yamlOf(await textOf(toolsFile), toolsFile), toolsFile)

  for (const list of [documents, tools]) onlyOnce(list, folder)
  const documentNames = new Set(documents.map((document) => document.name))
  const optional = new Set(tools.filter((tool) => !tool.core).map((tool) => tool.name))
  for (const agent of agents) {
    const file = join(folder, 'agents', `${agent.name}.md`)
    for (const name of agent.documents)
      if (!documentNames.has(name)) throw new Fault('invalid', `${file}: the field documents names ${name}, but there is no such document.`)
    for (const name of agent.tools)
      if (!optional.has(name))
        throw new Fault('invalid', `${file}: the field tools names ${name}, which is no optional tool of ${toolsFile}.`)
  }
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  return { agents: agents.sort(byName), documents: documents.sort(byName), tools: tools.sort(byName) }
}

/**
 * An agent from the text of its file. Also takes Claude Code's own form: tools as one comma-separated string, its names for tools, turns
 * and models. What has no meaning here is left out, one sentence in `warnings` for each. Throws a Fault `invalid` that names the file and
 * the field when the rest is no agent.
 */
export function readAgentFile(text: string, fileName: string): { agent: Agent; warnings: string[] } {
  const { front, body } = splitFront(text, fileName)
  const warnings: string[] = []
  const fields: Record<string, unknown> = { instruction: body }
  for (const [given, value] of Object.entries(front)) {
    const field = given === 'maxTurns' ? 'max_turns' : given
    if (field === 'instruction' || !Object.hasOwn(Agent.shape, field))
      warnings.push(`${fileName}: the field ${given} is unknown and was left out.`)
    else if (value !== null) fields[field] = value
  }
  if (typeof fields.tools === 'string') fields.tools = toolNames(fields.tools, fileName, warnings)
  else if (Array.isArray(fields.tools) && fields.tools.every((name) => typeof name === 'string'))
    fields.tools = toolNames(fields.tools.join(','), fileName, warnings)
  if (fields.model === 'inherit') fields.model = 'default'
  else if (typeof fields.model === 'string' && !isModel(fields.model)) {
    warnings.push(`${fileName}: the model ${fields.model} has no provider before it (provider/model), so the default model is used.`)
    fields.model = 'default'
  }
  return { agent: checked(Agent, fields, fileName), warnings }
}

/** The file of an agent. `readAgentFile` gives back the same agent without warnings, if its model is one that it could be given here. */
export function writeAgentFile(agent: Agent): string {
  const { instruction, tools, ...rest } = agent
  const { name, description, ...others } = rest
  const front = { name, description, tools: tools.length > 0 ? tools.join(', ') : [], ...others }
  return `---\n${stringify(front, { lineWidth: 0 })}---\n\n${instruction}\n`
}

/** Claude Code's tools and ours that do the same. Those of its tools that start or ask are in our core toolkit, which every agent has. */
const CLAUDE_CODE_TOOLS: Readonly<Record<string, string | null>> = {
  Read: 'read_file',
  Write: 'write_file',
  Edit: 'edit_file',
  MultiEdit: 'edit_file',
  Glob: 'list_files',
  LS: 'list_files',
  Grep: 'search_files',
  Bash: 'use_terminal',
  Agent: null,
  Task: null,
  AskUserQuestion: null,
}

function toolNames(list: string, fileName: string, warnings: string[]): string[] {
  const names = new Set<string>()
  // "Bash(git log:*)" narrows a tool; here permission is asked for each command, so only the tool's name counts.
  for (const name of list.replace(/\([^)]*\)/g, '').split(',')) {
    const given = name.trim()
    if (!given) continue
    const ours = Object.hasOwn(CLAUDE_CODE_TOOLS, given) ? CLAUDE_CODE_TOOLS[given] : given
    if (typeof ours !== 'string') continue
    if (/[A-Z]/.test(ours)) warnings.push(`${fileName}: the tool ${given} has no match here and was left out.`)
    else names.add(ours)
  }
  return [...names]
}

const isModel = (model: string) => model === 'default' || model === 'playbook' || /^[^/\s]+\/\S+$/.test(model)

function readDocument(text: string, file: string): Document {
  const { front, body } = splitFront(text, file)
  return checked(Document.strict(), { ...front, content: body }, file)
}

function checkCore(core: Document, file: string): Document {
  for (const mark of CORE_MARKS)
    if (core.content.split(mark).length !== 2) throw new Fault('invalid', `${file}: ${mark} must stand in the text exactly once.`)
  return core
}

/** A file is found by the name of what is in it. */
export function named<T extends { name: string }>(entry: T, stem: string, file: string): T {
  if (entry.name !== stem) throw new Fault('invalid', `${file}: the field name is ${entry.name}, but by its place it must be ${stem}.`)
  return entry
}

function onlyOnce(entries: { name: string }[], folder: string): void {
  const seen = new Set<string>()
  for (const { name } of entries) {
    if (seen.has(name)) throw new Fault('invalid', `${folder}: the name ${name} is used twice; rename one of them.`)
    seen.add(name)
  }
}

/** Front matter and what follows it. One empty line after the front matter and the last line's end belong to the file, not to the text. */
export function splitFront(text: string, file: string): { front: Record<string, unknown>; body: string } {
  const plain = text.replace(/^\uFEFF/, '')
  // A file written with Windows line ends is read as if it were not; otherwise the text is left as it is.
  const lines = /^---[ \t]*\r\n/.test(plain) ? plain.replaceAll('\r\n', '\n') : plain
  const found = /^---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n\n?|$)/.exec(lines)
  if (!found) throw new Fault('invalid', `${file}: it must begin with front matter, settings between two lines of three hyphens.`)
  const front = yamlOf(quoted(found[1] ?? ''), file)
  if (front === null || typeof front !== 'object' || Array.isArray(front))
    throw new Fault('invalid', `${file}: its front matter must be fields with values, like "name: writer".`)
  return { front: { ...front }, body: lines.slice(found[0].length).replace(/\n$/, '') }
}

/** Descriptions like "Use it when: …" are common in agent files and no YAML; Claude Code takes them as they are meant, and so do we. */
const quoted = (front: string): string =>
  front.replace(/^([A-Za-z_]+): +((?!['"[{|>&*!#]).*:(?: .*)?)$/gm, (_, field, words) => `${field}: ${JSON.stringify(words)}`)

/** Throws a Fault that names the file when the text is no YAML. */
export function yamlOf(text: string, file: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause
    throw new Fault('invalid', `${file}: its YAML cannot be read: ${cause.message.split('\n', 1)[0]!.replace(/:$/, '')}.`, { cause })
  }
}

/** The value in this shape, or a Fault that names the file and the first field that is wrong. */
export function checked<S extends z.ZodType>(shape: S, value: unknown, file: string): z.output<S> {
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys : []
  const field = [...issue.path, ...unknown.slice(0, 1)].join('.')
  const problem = unknown.length > 0 ? 'is unknown; remove it or mend its spelling' : `is not right: ${issue.message}`
  throw new Fault('invalid', `${file}: ${field ? `the field ${field}` : 'the content'} ${problem}.`)
}

/** The files of a folder whose names end so, ordered by name. Rejects with a Fault that names what cannot be read. */
export async function filesIn(folder: string, ending: string): Promise<{ file: string; stem: string; text: string }[]> {
  const names = await readdir(folder).catch((cause) => {
    throw new Fault('invalid', `${folder} cannot be read (${codeOf(cause)}); the seeds belong there.`, { cause })
  })
  const files = names.filter((name) => name.endsWith(ending)).sort()
  return Promise.all(
    files.map(async (name) => {
      const file = join(folder, name)
      return { file, stem: name.slice(0, -ending.length), text: await textOf(file) }
    }),
  )
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause) => {
    throw new Fault('invalid', `${file} cannot be read (${codeOf(cause)}).`, { cause })
  })
}

const codeOf = (cause: unknown): string => (cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause))
