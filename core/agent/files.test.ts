import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

let h: Harness | undefined
let base: string
const open = async (...args: Parameters<typeof harness>): Promise<Harness> => {
  h = await harness(...args)
  return h
}
const person = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=P', '-c', 'user.email=p@example.org', ...args], { cwd, encoding: 'utf8' }).trim()
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'banyan-files-'))
  await chmod(base, 0o755)
})
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  await rm(base, { recursive: true, force: true })
  expect(found ?? []).toEqual([])
})
/** Calls one after another, each when the one before is answered; then the end. */
const inTurn =
  (steps: readonly { tool: string; input: object }[]) =>
  (request: ModelRequest): Scripted => {
    const step = steps[answersIn(request).length]
    return step ? { calls: [step] } : endWith('done')
  }
const git = (input: object) => ({ tool: 'git_operations', input })
const write = (path: string, content: string) => ({ tool: 'write_file', input: { path, content } })
const answersOf = async (id: string): Promise<string[]> =>
  (await h!.runtime.tasks.messages(id)).filter((m) => m.role === 'tool').map((m) => m.text)

describe('a task with a repository', () => {
  let source: string
  beforeEach(async () => {
    source = join(base, 'calc')
    await mkdir(source)
    person(source, 'init', '-q', '-b', 'main')
    await writeFile(join(source, 'add.js'), 'export const add = (a, b) => a - b\n')
    person(source, 'add', '-A')
    person(source, 'commit', '-qm', 'first')
  })

  test('that the person named clones it unasked, mends it and commits; the push waits for a person and sends what was shown', async () => {
    let hash = ''
    const steps = [
      git({ operation: 'clone', source }),
      write('calc/add.js', 'export const add = (a, b) => a + b\n'),
      git({ operation: 'diff' }),
      git({ operation: 'commit', message: 'Add adds' }),
      git({ operation: 'log', limit: 1 }),
    ]
    const { goal, until, over, runtime } = await open((request) => {
      const answers = answersIn(request)
      const step = steps[answers.length]
      if (step) return { calls: [step] }
      hash ||= answers[4]!.split(' ', 1)[0]!
      if (answers.length === 5) return { calls: [git({ operation: 'push', branch: `agent/${request.task.id}`, commit: hash })] }
      return endWith('done')
    })
    const id = await goal(`Mend the sum in ${source}.`)
    await until(id, (t) => t.status === 'waiting')
    const { items } = await runtime.tasks.reviews({ state: 'open', limit: 10 })
    expect(items).toMatchObject([
      { kind: 'permission', risk: 'high', action: { operation: 'push', to: source, branch: `agent/${id}`, commit: hash } },
    ])
    expect(() => person(source, 'rev-parse', '--verify', '-q', `agent/${id}`)).toThrow()
    await runtime.tasks.decide(items[0]!.id, { decision: 'approve' }, 'owner')
    await over(id)
    expect(person(source, 'log', '-1', '--format=%an <%ae> %s', `agent/${id}`)).toBe(`generalist <${id}@banyan.invalid> Add adds`)
    const answers = await answersOf(id)
    expect(answers[2]).toContain('+export const add = (a, b) => a + b')
    expect(answers[3]).toMatch(/^Committed [0-9a-f]{9} on agent\/\S+, 1 file:\nchanged add\.js$/)
    expect(answers[5]).toMatch(/^Pushed/)
  })

  test('that nobody named asks first, and a refusal reaches the agent', async () => {
    const { goal, until, over, runtime } = await open(inTurn([git({ operation: 'clone', source })]))
    const id = await goal('Mend the sum.')
    await until(id, (t) => t.status === 'waiting')
    const { items } = await runtime.tasks.reviews({ state: 'open', limit: 10 })
    expect(items).toMatchObject([{ kind: 'permission', action: { operation: 'clone', source } }])
    await runtime.tasks.decide(items[0]!.id, { decision: 'reject', comment: 'not that one' }, 'owner')
    await over(id)
    expect((await answersOf(id))[0]).toContain('not that one')
    expect(existsSync(join(h!.dataDir, 'repositories', id))).toBe(false)
  })

  test('is told what arguments an operation takes', async () => {
    const { goal, over } = await open(
      inTurn([
        git({ operation: 'status', force: true }),
        git({ operation: 'log', message: 'x' }),
        git({ operation: 'commit' }),
        git({ operation: 'reset' }),
        git({ operation: 'status' }),
      ]),
    )
    const id = await goal('x')
    await over(id)
    const answers = await answersOf(id)
    expect(answers[1]).toContain('"log" takes no message; it takes repository, from, path, limit')
    expect(answers[2]).toContain('commit: ')
    expect(answers[3]).toContain('operation')
    expect(answers[4]).toContain('This goal has no repository yet')
  })
})

describe('what an agent did to files', () => {
  test('is put back by a rerun with restoreFiles, from that message on, and the agent goes on from there', async () => {
    let second = false
    const { goal, over, runtime, dataDir } = await open((request) => {
      const answers = answersIn(request)
      if (second) return endWith('again')
      const step = [
        write('kept.txt', 'kept'),
        write('a.txt', 'one'),
        { tool: 'use_terminal', input: { command: 'echo two > a.txt; echo b > b.txt' } },
      ][answers.length]
      return step ? { calls: [step] } : endWith('done')
    })
    const id = await goal('Run `echo two > a.txt; echo b > b.txt`')
    await over(id)
    const folder = join(dataDir, 'workspaces', id)
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('two\n')
    const changes = await runtime.history.changes(id, { scope: 'subtree', after: 0, limit: 100 })
    expect(changes.map((c) => c.path)).toEqual(['kept.txt', 'a.txt', 'a.txt', 'b.txt'])
    // The message that wrote a.txt for the first time.
    const at = (await runtime.tasks.messages(id)).find((m) => m.role === 'assistant' && JSON.stringify(m.calls).includes('"a.txt"'))!
    second = true
    const held = await runtime.tasks.control(id, { verb: 'rerun', by: 'owner', from: at.n, hold: true })
    expect(held).toMatchObject({ status: 'paused', reason: 'person' })
    const undone = await runtime.history.undoFrom({ taskId: id, from: at.n, by: 'owner' })
    expect(undone.conflicts).toEqual([])
    expect(undone.files.map((f) => `${f.what} ${f.path}`).sort()).toEqual(['removed a.txt', 'removed b.txt'])
    await runtime.tasks.control(id, { verb: 'resume', by: 'owner', scope: 'node' })
    expect((await over(id)).result).toBe('again')
    expect(existsSync(join(folder, 'a.txt'))).toBe(false)
    expect(await readFile(join(folder, 'kept.txt'), 'utf8')).toBe('kept')
  })
})
