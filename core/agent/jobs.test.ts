import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

/** The machine may be busy; what is waited for comes or the test fails. */
const eventually = (look: () => void | Promise<void>): Promise<void> => vi.waitFor(look, { timeout: 15_000, interval: 50 })

let h: Harness | undefined
afterEach(async () => {
  expect(await h?.end()).toEqual([])
  h = undefined
})

type Step = Scripted | ((answers: string[], request: ModelRequest) => Scripted | Promise<Scripted>)
/** A runtime whose one agent goes through steps; a person allows everything that it asks. Answers are gathered by task. */
async function talk(steps: Step[] | ((request: ModelRequest) => Step[]), options: Parameters<typeof harness>[1] = {}) {
  const told = new Map<string, string[]>()
  h = await harness(async (request) => {
    const answers = answersIn(request)
    told.set(request.task.id, answers)
    const list = typeof steps === 'function' ? steps(request) : steps
    const step = list[answers.length] ?? endWith('done')
    return typeof step === 'function' ? step(answers, request) : step
  }, options)
  const { runtime } = h
  runtime.store.onCommit((events) => {
    for (const event of events)
      if (event.type === 'review.opened')
        void runtime.tasks.decide(event.review.id, { decision: 'approve' }, 'owner').catch(() => undefined)
  })
  return { h, runtime, told }
}
const start = (command: string, more: object = {}): Scripted => ({
  calls: [{ tool: 'use_terminal', input: { command, background: true, ...more } }],
})
const job = (action: string, more: object = {}): Scripted => ({
  calls: [{ tool: 'terminal_job', input: { job: 'job-1', action, ...more } }],
})
const rowsOf = (runtime: Harness['runtime']) => runtime.store.db.selectFrom('jobs').selectAll().orderBy('id').execute()
/** Processes that work in a folder. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
    } catch {
      return false // it ended meanwhile
    }
  })
}

describe('a command in the background', { timeout: 60_000 }, () => {
  test('is looked at, written to and ends with its exit code; each look tells only what is new', async () => {
    const { h, runtime, told } = await talk([
      start('echo ready; while read -r line; do echo "got $line"; done; exit 4'),
      job('poll', { wait_seconds: 0.2 }),
      job('write', { text: 'one\n' }),
      job('write', { text: 'two\n', end_input: true, wait_for: 'end' }),
      job('poll'),
    ])
    const id = await h.goal('Talk to it')
    await h.over(id)
    const [started, quiet, one, two, after] = told.get(id)!
    expect(started).toMatch(/^job-1: running for .*\ncommand: echo ready.*\nisolation: \w+\n--- new output \(6 bytes\) ---\nready$/)
    expect(quiet).toMatch(/^job-1: running.*\n[\s\S]*--- no new output ---$/)
    expect(one).toMatch(/--- new output \(8 bytes\) ---\ngot one$/)
    expect(two).toMatch(/^job-1: ended: exit code 4 \(after .* s.*\)\n[\s\S]*---\ngot two$/)
    expect(after).toMatch(/^job-1: ended: exit code 4[\s\S]*--- no new output ---$/)
    expect(await rowsOf(runtime)).toMatchObject([
      { name: 'job-1', state: 'ended', exit_code: 4, output: 'ready\ngot one\ngot two\n', starts: 1 },
    ])
    const facts = (await runtime.store.eventsAfter(0, { limit: 1_000 })).map((event) => event.type)
    expect(facts.filter((type) => type.startsWith('job.'))).toEqual(['job.started', 'job.ended'])
  })

  test('a person allows its start and every word that is typed into it, and sees what it is', async () => {
    const { h, runtime } = await talk([start('cat', { env: { MODE: 'x' } }), job('write', { text: 'rm -rf .\n' }), job('stop')])
    const id = await h.goal('Talk to it')
    await h.over(id)
    const reviews = await runtime.store.db.selectFrom('reviews').selectAll().orderBy('created_at').execute()
    expect(reviews.map(({ action }) => JSON.parse(action))).toMatchObject([
      { tool: 'use_terminal', command: 'cat', background: true, env: { MODE: 'x' }, timeoutSeconds: 3_600 },
      { tool: 'terminal_job', job: 'job-1', command: 'cat', text: 'rm -rf .\n' },
    ])
  })

  test('is stopped with a child that ignores polite signals', async () => {
    const { h, runtime, told } = await talk([
      start('(trap "" TERM INT HUP; touch deaf; while :; do sleep 0.1; done) & trap "" TERM; wait; wait; sleep 60'),
      job('stop'),
    ])
    const id = await h.goal('Start and stop')
    await h.over(id)
    const folder = runtime.workspaces.path({ treeId: id, workspace: '' })
    expect(existsSync(join(folder, 'deaf'))).toBe(true)
    expect(told.get(id)![1]).toMatch(/^job-1: ended: stopped by its agent/)
    expect(processesIn(folder)).toEqual([])
  })

  test('ends with its task, however that ends', async () => {
    const { h, runtime } = await talk((request) =>
      request.task.instruction === 'ends'
        ? [start('touch begun; exec sleep 600'), endWith('done')]
        : [start('touch begun; exec sleep 600'), job('poll', { wait_seconds: 60, wait_for: 'end' })],
    )
    const ends = await h.goal('ends')
    expect((await h.over(ends)).status).toBe('done')
    const stays = await h.goal('stays')
    await eventually(async () => expect((await rowsOf(runtime)).find((row) => row.tree_id === stays)?.state).toBe('running'))
    await runtime.tasks.control(stays, { verb: 'abort', by: 'owner' })
    await h.over(stays)
    await eventually(async () => {
      expect(await rowsOf(runtime)).toMatchObject([
        { state: 'ended', ending: 'its task is over' },
        { state: 'ended', ending: 'its task is over' },
      ])
    })
    for (const treeId of [ends, stays]) expect(processesIn(runtime.workspaces.path({ treeId, workspace: '' }))).toEqual([])
  })

  test('stays while its task is paused', async () => {
    const { h, runtime } = await talk([
      start('while :; do date +%N >> beats; sleep 0.05; done'),
      job('poll', { wait_seconds: 30, wait_for: 'end' }),
      job('stop'),
    ])
    const id = await h.goal('Pause me')
    await eventually(async () => expect(await rowsOf(runtime)).toMatchObject([{ state: 'running' }]))
    await runtime.tasks.control(id, { verb: 'pause', by: 'owner' })
    await h.until(id, (task) => task.status === 'paused')
    const beats = join(runtime.workspaces.path({ treeId: id, workspace: '' }), 'beats')
    const lines = () => readFileSync(beats, 'utf8').length
    const then = lines()
    await eventually(() => expect(lines()).toBeGreaterThan(then))
    expect(await rowsOf(runtime)).toMatchObject([{ state: 'running' }])
    await runtime.tasks.control(id, { verb: 'abort', by: 'owner' })
    await h.over(id)
  })

  test('is refused above the limits, with the jobs that run and the mend', async () => {
    const { h, told } = await talk(
      [
        start('sleep 60'),
        start('sleep 61'),
        start('sleep 62'),
        { calls: [{ tool: 'terminal_job', input: { job: 'job-2', action: 'stop' } }] },
        start('sleep 63'),
      ],
      { jobLimits: { perTask: 2 } },
    )
    const id = await h.goal('Many')
    await h.over(id)
    expect(told.get(id)![2]).toMatch(/This task has 2 jobs that run.*job-1 \(sleep 60\), job-2 \(sleep 61\)\. Stop one with terminal_job/)
    expect(told.get(id)![4]).toMatch(/^job-3: running/)
  })

  test('of a flood of output the first and the last is kept, and the rest counted', async () => {
    const { h, runtime, told } = await talk([
      start('echo first; head -c 30000000 /dev/zero | tr "\\0" x; echo; echo last'),
      job('poll', { wait_for: 'end', wait_seconds: 60 }),
    ])
    const id = await h.goal('Flood')
    await h.over(id)
    const all = told.get(id)!.join('\n')
    expect(all.length).toBeLessThan(130_000)
    expect(all).toMatch(/first/)
    expect(all).toMatch(/bytes left out/)
    expect(all).toMatch(/\nlast$/m)
    const sizes = [...all.matchAll(/new output \((\d+) bytes\)/g)].map((found) => Number(found[1]))
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(30_000_012)
    const [row] = await rowsOf(runtime)
    expect(Number(row!.output_bytes)).toBe(30_000_012)
    expect(row!.output.length).toBeLessThan(31_000)
  })

  test('tells no secret, also one that comes in two looks, and keeps none', async () => {
    const { h, runtime, told } = await talk([
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's
      start('printf "key: %s" "${API_KEY%????}"; read -r go; printf "%s\\n" "${API_KEY#???????}"', { secrets: ['API_KEY'] }),
      job('poll', { wait_seconds: 0.5 }),
      job('write', { text: 'go\n', wait_for: 'end' }),
    ])
    const value = 'sk-77aa41c9'
    await runtime.secrets.save('API_KEY', { value, grants: ['agent:generalist'] }, 'owner')
    const id = await h.goal('Print it')
    await h.over(id)
    const everything = JSON.stringify([told.get(id), await rowsOf(runtime), await runtime.store.eventsAfter(0, { limit: 1_000 })])
    expect(everything).not.toMatch(/77aa|41c9/)
    expect(told.get(id)![2]).toMatch(/---\n\[secret API_KEY\]$/)
  })

  test('has a terminal when asked; the model reads plain text, the row keeps the colours', async () => {
    const { h, runtime, told } = await talk([
      start('tty; stty size; printf "\\033[31mred\\033[0m\\n10%%\\r50%%\\r100%%\\n"; echo $TERM', { terminal: { columns: 99, rows: 33 } }),
      job('poll', { wait_for: 'end' }),
    ])
    const id = await h.goal('A terminal')
    await h.over(id)
    const all = told.get(id)!.join('\n')
    expect(all).not.toMatch(/not a tty/)
    expect(all).toMatch(/\n33 99\nred\n100%\nxterm-256color/)
    const [row] = await rowsOf(runtime)
    expect(row).toMatchObject({ terminal: '99x33', exit_code: 0 })
    expect(row!.output).toContain('\u001b[31mred\u001b[0m')
  })

  test('changes of files are its own, those made beside it belong to whoever made them, and each can be undone', async () => {
    const { h, runtime } = await talk([
      { calls: [{ tool: 'write_file', input: { path: 'shared.txt', content: 'v1' } }] },
      start('echo job > by-job.txt; until test -e go; do sleep 0.02; done; echo v3 > shared.txt; sleep 60'),
      { calls: [{ tool: 'write_file', input: { path: 'shared.txt', content: 'v2' } }] },
      { calls: [{ tool: 'write_file', input: { path: 'go', content: '' } }] },
      job('poll', { wait_seconds: 0.5 }),
      job('stop'),
    ])
    const id = await h.goal('Work side by side')
    await h.over(id)
    const changes = await runtime.history.changes(id, { scope: 'node', after: 0, limit: 100 })
    const calls = await runtime.store.db.selectFrom('calls').select(['id', 'tool']).orderBy('n').execute()
    const toolOf = (callId: string) => calls.find((call) => call.id === callId)!.tool
    expect(changes.map((change) => [change.path, toolOf(change.call_id)])).toEqual([
      ['shared.txt', 'write_file'],
      ['shared.txt', 'write_file'],
      ['go', 'write_file'],
      ['shared.txt', 'use_terminal'],
      ['by-job.txt', 'use_terminal'],
    ])
    const undone = await runtime.history.undo({ taskId: id, scope: 'node', by: 'owner' })
    expect(undone.conflicts).toEqual([])
    const folder = runtime.workspaces.path({ treeId: id, workspace: '' })
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([])
  })

  test('is lost with a restart: its row and a look say so, with the output until then, and it can be started anew', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'banyan-jobs-'))
    let restarted = false
    const script: Step[] = [
      start('echo alive; exec sleep 600'),
      async () => {
        if (restarted) return job('poll')
        // As long as it has not been restarted, it thinks.
        await new Promise((resolve) => setTimeout(resolve, 50))
        return { calls: [{ tool: 'list_files', input: {} }] }
      },
    ]
    const told: string[][] = []
    const decide = async (request: ModelRequest): Promise<Scripted> => {
      const answers = answersIn(request)
      told.push(answers)
      if (answers.length === 0) return script[0] as Scripted
      if (restarted && answers.at(-1)?.includes('ended by a restart')) return endWith('done')
      return (script[1] as () => Promise<Scripted>)()
    }
    const first = await harness(decide, { dataDir })
    first.runtime.store.onCommit((events) => {
      for (const event of events)
        if (event.type === 'review.opened') void first.runtime.tasks.decide(event.review.id, { decision: 'approve' }, 'owner')
    })
    const id = await first.goal('Be cut off')
    await eventually(async () => expect(await rowsOf(first.runtime)).toMatchObject([{ state: 'running', output: 'alive\n' }]))
    const folder = first.runtime.workspaces.path({ treeId: id, workspace: '' })
    await first.runtime.run().stop(0)
    await first.runtime.close()
    expect(processesIn(folder)).toEqual([])
    restarted = true
    h = await harness(decide, { dataDir })
    await h.over(id)
    expect(told.at(-1)!.at(-1)).toMatch(
      /^job-1: ended: ended by a restart of the system \(after .*\)\n[\s\S]*--- all output that is kept \(6 bytes\) ---\nalive$/,
    )
  })
})

describe('variables for a command', () => {
  test('are given, shown and part of what was allowed; those that steer programs are refused', async () => {
    const { h, told, runtime } = await talk([
      { calls: [{ tool: 'use_terminal', input: { command: 'echo $MODE', env: { MODE: 'fast' } } }] },
      ...['LD_PRELOAD', 'NODE_OPTIONS', 'BASH_ENV', 'PATH', 'git_ssh_command', 'https_proxy'].map(
        (name): Scripted => ({ calls: [{ tool: 'use_terminal', input: { command: 'true', env: { [name]: 'x' } } }] }),
      ),
    ])
    const id = await h.goal('Set them')
    await h.over(id)
    const [given, ...refused] = told.get(id)!
    expect(given).toMatch(/\nfast\n/)
    expect(refused).toHaveLength(6)
    for (const answer of refused) expect(answer).toMatch(/is not for you to set: it steers/)
    expect(await runtime.store.db.selectFrom('reviews').selectAll().execute()).toHaveLength(1)
  })
})
