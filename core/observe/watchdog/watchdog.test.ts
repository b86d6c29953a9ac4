import { afterEach, describe, expect, it } from 'vitest'
import { type Harness, harness } from '../../../scripts/testing/harness.ts'
import { endWith, type Scripted } from '../../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../../models/provider.ts'
import { openWatchdog } from './watchdog.ts'

let h: Harness
afterEach(async () => expect(await h.end()).toEqual([]))

const judged = endWith('fine', 'success', { verdict: { passed: true, score: 90, reasons: 'It is as asked.' } })
const read = (path: string): Scripted => ({ calls: [{ tool: 'read_file', input: { path } }] })
const heard = (request: ModelRequest, words: string): boolean => request.messages.some((m) => m.role === 'user' && m.text.includes(words))
/** Looks again and again, as an engine does, until the task is as wanted. */
async function watchUntil(id: string, wanted: (task: Awaited<ReturnType<Harness['runtime']['tasks']['task']>>) => boolean) {
  await expect
    .poll(
      async () => {
        await h.runtime.watchdog.look()
        return wanted(await h.runtime.tasks.task(id))
      },
      { timeout: 15_000, interval: 5 },
    )
    .toBe(true)
  return h.runtime.tasks.task(id)
}
const told = async (id: string) =>
  (await h.runtime.store.eventsAfter(0, { limit: 5_000 })).flatMap((e) =>
    e.type === 'task.watched' && e.taskId === id ? [e.watch?.rung ?? e.words] : [],
  )

describe('a task that reads the same file for ever', () => {
  it('is told so, goes on by itself, and its story says both', async () => {
    let turns = 0
    h = await harness(
      async (request) => {
        if (request.task.kind !== 'work') return judged
        await h.runtime.watchdog.look()
        if (heard(request, 'The watchdog says'))
          return turns++ === 0 ? { calls: [{ tool: 'list_files', input: {} }] } : endWith('It is not there.')
        return read('missing.txt')
      },
      { judges: true },
    )
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    const task = await watchUntil(id, (t) => t.status === 'done')
    expect(task.watch).toBeNull()
    expect(await told(id)).toEqual(['nudged', 'It gets on again.'])
  })

  it('is held and a person asked when it does not listen and nobody else is there', async () => {
    h = await harness(
      async (request) => {
        if (heard(request, 'Look at b.txt')) return endWith('b.txt it was.')
        await h.runtime.watchdog.look()
        return read('missing.txt')
      },
      { judges: true },
    )
    await h.runtime.registry.save('agent', { ...(await h.runtime.registry.get('agent', 'supervisor'))!, enabled: false }, 'owner')
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    const held = await watchUntil(id, (t) => t.status === 'paused')
    expect(held).toMatchObject({ reason: 'stuck', watch: { sign: 'repeated_error', rung: 'parked' } })
    const { items } = await h.runtime.tasks.reviews({ state: 'open', limit: 5 })
    expect(items).toMatchObject([{ kind: 'stuck', taskId: id, action: { tried: ['its agent was told'] } }])
    await h.runtime.tasks.decide(items[0]!.id, { decision: 'answer', comment: 'Look at b.txt instead.' }, 'owner')
    const done = await watchUntil(id, (t) => t.status === 'done')
    expect(done.watch).toBeNull()
    expect((await h.runtime.tasks.reviews({ state: 'open', limit: 5 })).items).toEqual([])
  })
})

describe('where another model is set', () => {
  it('that model goes on with what was done, when the first does not listen', async () => {
    const asked: string[] = []
    h = await harness(
      async (request) => {
        if (request.task.kind !== 'work') return judged
        asked.push(request.model)
        if (request.model === 'other') return endWith('It is not there.')
        await h.runtime.watchdog.look()
        return read('missing.txt')
      },
      { judges: true },
    )
    await h.runtime.settingsList.save('FALLBACK_MODEL', 'scripted/other', 'owner', () => undefined)
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    expect(await watchUntil(id, (t) => t.status === 'done')).toMatchObject({ model: 'scripted/other', watch: null })
    expect((await told(id)).slice(0, 2)).toEqual(['nudged', 'model'])
    expect(new Set(asked)).toEqual(new Set(['scripted', 'other']))
  })
})

describe('the supervisor', () => {
  const stuckUntil = (words: string, supervise: (request: ModelRequest) => Scripted, after: Scripted = endWith('done')) =>
    harness(
      async (request) => {
        if (request.task.kind === 'supervise') return supervise(request)
        if (request.task.kind !== 'work') return judged
        if (heard(request, words)) return after
        await h.runtime.watchdog.look()
        return read('missing.txt')
      },
      { judges: true },
    )
  const answered = (request: ModelRequest) => request.messages.some((m) => m.role === 'tool')
  const resolving = (input: object) => (request: ModelRequest) =>
    answered(request) ? endWith('Resolved.') : ({ calls: [{ tool: 'resolve_task', input }] } satisfies Scripted)
  const supervisorOf = async (id: string) => (await h.runtime.tasks.children(id)).find((child) => child.kind === 'supervise')!

  it('has nothing in its hands that carries anything out', async () => {
    const seen: string[] = []
    h = await stuckUntil('The file is b.txt', (request) => {
      seen.splice(0, seen.length, ...request.tools.map((tool) => tool.name))
      return resolving({ act: 'steer', message: 'The file is b.txt.' })(request)
    })
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    await watchUntil(id, (t) => t.status === 'done')
    expect(seen.sort()).toEqual([
      'end_task',
      'flag_for_review',
      'inspect_task',
      'list_files',
      'read_document',
      'read_file',
      'resolve_task',
      'search_files',
    ])
  })

  it('steers, and the task goes on with its words', async () => {
    h = await stuckUntil('The file is b.txt', resolving({ act: 'steer', message: 'The file is b.txt.' }))
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    expect(await watchUntil(id, (t) => t.status === 'done')).toMatchObject({ watch: null })
    expect(await told(id)).toEqual(['nudged', 'supervised', 'supervisor told its agent: The file is b.txt.'])
    expect(await h.over((await supervisorOf(id)).id)).toMatchObject({ status: 'done' })
  })

  it('stops it, and says why', async () => {
    h = await stuckUntil('never', resolving({ act: 'cancel', message: 'There is no such file.' }))
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    expect(await watchUntil(id, (t) => t.status === 'cancelled')).toMatchObject({
      note: 'the supervisor stopped it: There is no such file.',
      stoppedByPerson: false,
    })
    expect(await h.over((await supervisorOf(id)).id)).toMatchObject({ status: 'done' })
  })

  it('gives it to another agent, which reads what was done', async () => {
    h = await stuckUntil('You know files', resolving({ act: 'reassign', agent_type: 'researcher', message: 'You know files.' }))
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    expect(await watchUntil(id, (t) => t.status === 'done')).toMatchObject({ agent: 'researcher' })
  })

  it('has it split, and its agent gets what the parts found', async () => {
    const parts = ['Look for missing.txt in old/.', 'Look for missing.txt in new/.'].map((instruction, i) => ({
      title: `Part ${i + 1}`,
      instruction,
    }))
    h = await harness(
      async (request) => {
        if (request.task.kind === 'supervise') return resolving({ act: 'split', message: 'Two folders, two parts.', parts })(request)
        if (request.task.kind !== 'work' || request.task.instruction.startsWith('Look for')) return endWith('Not there.')
        if (request.messages.some((m) => m.role === 'tool' && m.text.includes('Part 2'))) return endWith('It is nowhere.')
        await h.runtime.watchdog.look()
        return read('missing.txt')
      },
      { judges: true },
    )
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    await watchUntil(id, (t) => t.status === 'done')
    const works = (await h.runtime.tasks.children(id)).filter((child) => child.kind === 'work')
    expect(works.map((child) => [child.title, child.status])).toEqual([
      ['Part 1', 'done'],
      ['Part 2', 'done'],
    ])
  })

  it('may not touch what was not given to it', async () => {
    const answers: string[] = []
    h = await stuckUntil('Go on', (request) => {
      answers.splice(0, answers.length, ...request.messages.flatMap((m) => (m.role === 'tool' ? [m.text] : [])))
      if (answers.length === 0) return { calls: [{ tool: 'resolve_task', input: { task_id: 'another', act: 'cancel', message: 'x' } }] }
      return answers.length === 1 ? { calls: [{ tool: 'resolve_task', input: { act: 'steer', message: 'Go on.' } }] } : endWith('Resolved.')
    })
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    await watchUntil(id, (t) => t.status === 'done')
    await h.over((await supervisorOf(id)).id)
    expect(answers[0]).toContain('not yours to look at')
  })

  it('leaves it to a person when it ends without a word to it, and its own words are in the item', async () => {
    h = await stuckUntil('never', () => endWith('Only the owner knows where the file is.'))
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    await watchUntil(id, (t) => t.watch?.rung === 'parked')
    const { items } = await h.runtime.tasks.reviews({ state: 'open', limit: 5 })
    expect(items).toMatchObject([{ kind: 'stuck', action: { supervisor: 'Only the owner knows where the file is.' } }])
  })
})

describe('a goal that the watchdog leaves alone', () => {
  it('is not touched however often it repeats itself, and is looked after again when it is switched on', async () => {
    let turns = 0
    h = await harness(
      async (request) => {
        if (request.task.kind !== 'work') return judged
        await h.runtime.watchdog.look()
        if (heard(request, 'The watchdog says')) return endWith('It is not there.')
        turns += 1
        if (turns === 8) await h.runtime.tasks.watched.set(request.task.treeId, { on: true }, 'owner')
        return read('missing.txt')
      },
      { judges: true, paused: true },
    )
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.')
    await h.runtime.tasks.watched.set(id, { on: false }, 'owner')
    expect((await h.runtime.tasks.tree(id)).watched).toBe(false)
    const runner = h.runtime.run()
    await watchUntil(id, (t) => t.status === 'done')
    await runner.stop(5_000)
    expect(turns).toBeGreaterThanOrEqual(8)
    expect(await told(id)).toContain('nudged')
  })
})

describe('what it knows', () => {
  it('is rows: a restart between any two steps changes nothing, and a look costs what is new', async () => {
    const decide = async (request: ModelRequest): Promise<Scripted> => {
      if (request.task.kind !== 'work') return judged
      return read('missing.txt')
    }
    h = await harness(decide, { judges: true })
    await h.runtime.registry.save('agent', { ...(await h.runtime.registry.get('agent', 'supervisor'))!, enabled: false }, 'owner')
    await h.runtime.watchdog.look()
    const id = await h.goal('Say what is in missing.txt.', { agent: 'generalist' })
    // Each look is another watchdog, which knows nothing but the database.
    const rungs: string[] = []
    await expect
      .poll(
        async () => {
          const fresh = openWatchdog({
            store: h.runtime.store,
            now: Date.now,
            judges: () => true,
            otherModel: async () => null,
            supervisor: async () => null,
            intervalMs: () => 60_000,
            patience: () => 1,
            onError(error) {
              throw error
            },
          })
          await fresh.look()
          const { watch } = await h.runtime.tasks.task(id)
          if (watch && rungs.at(-1) !== watch.rung) rungs.push(watch.rung)
          return (await h.runtime.tasks.task(id)).status
        },
        { timeout: 15_000, interval: 5 },
      )
      .toBe('paused')
    expect(await told(id)).toEqual(['nudged', 'parked'])
    await h.runtime.watchdog.look()
    await expect.poll(() => h.runtime.watchdog.look(), { timeout: 15_000 }).toEqual({ facts: 0, tasks: 0 })
    expect(await h.runtime.tasks.watched.list()).toMatchObject({ count: 1, items: [{ taskId: id, rung: 'parked' }] })
  })
})

describe('a task whose time is nearly over', () => {
  it('is told once', async () => {
    let at = Date.now()
    h = await harness(
      async (request) => {
        if (request.task.kind !== 'work') return judged
        if (request.task.id === request.task.treeId)
          return request.messages.some((m) => m.role === 'tool')
            ? endWith('done')
            : {
                calls: [
                  {
                    tool: 'start_subtask',
                    input: { subtasks: [{ task_instruction: 'Read on.', agent_type: 'generalist', deadline_seconds: 1_000 }] },
                  },
                ],
              }
        if (heard(request, 'running out') || heard(request, 'Its time ends')) return endWith('So far.')
        at += 100_000
        await h.runtime.watchdog.look()
        return { calls: [{ tool: 'list_files', input: { path: '.', depth: (request.messages.length % 5) + 1 } }] }
      },
      { judges: true, now: () => at },
    )
    await h.runtime.watchdog.look()
    const id = await h.goal('Read.')
    await watchUntil(id, (t) => t.status === 'done')
    const child = (await h.runtime.tasks.children(id)).find((one) => one.kind === 'work')!
    expect((await told(child.id)).filter((words) => words.includes('Its time ends'))).toHaveLength(1)
  })
})
