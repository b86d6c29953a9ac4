import { describe, expect, it, test } from 'vitest'
import type { Event, Fact } from '../../contract/event.ts'
import { DEFAULT_LIMITS } from '../../contract/limits.ts'
import type { Message } from '../../contract/message.ts'
import { signIn } from './signs.ts'
import { emptyTrace, observe, plain, STEPS, type Trace } from './trace.ts'

const START = Date.UTC(2026, 0, 1)
const GOAL = 'k3f9a2b1c0'

/** A task's life in words: each adds what a runtime would have written down. */
function life() {
  let trace = emptyTrace
  let [n, seconds] = [1, 0]
  const tell = (fact: Fact, message?: Message): void => {
    const event: Event = { seq: n, at: new Date(START + seconds * 1_000).toISOString(), treeId: GOAL, ...fact }
    trace = observe(trace, event, message, (provider) => provider !== 'playbook')
  }
  const say = (message: Message): void => {
    n += 1
    tell({ type: 'message.added', taskId: GOAL, n, role: message.role, text: '' }, message)
  }
  const reply = (calls: { id: string; tool: string; input: unknown }[], provider: string): void =>
    say({ role: 'assistant', text: '', calls, provider, model: 'm', usage: null, costMicros: 0, latencyMs: 1 })
  const all = {
    trace: (): Trace => trace,
    /** One reply with one call, and its answer. */
    act(input: unknown, answer: string, { error = false, ms = 10, tool = 'read_file', provider = 'model' } = {}) {
      seconds += 5
      const id = `${GOAL}/${n + 1}a`
      reply([{ id, tool, input }], provider)
      say({ role: 'tool', callId: id, tool, text: answer, isError: error })
      tell({ type: 'call.ended', taskId: GOAL, callId: id, tool, ok: !error, ms })
      return all
    },
    talk(provider = 'model') {
      seconds += 5
      reply([], provider)
      return all
    },
    person() {
      say({ role: 'user', from: 'person', text: 'Do it like this.' })
      return all
    },
    smaller() {
      say({ role: 'compaction', how: 'cleared', upTo: 1, text: '', dropped: { messages: 1, tokens: 1 } })
      return all
    },
    spend(tokens: number) {
      tell({
        type: 'model.called',
        taskId: GOAL,
        provider: 'model',
        model: 'm',
        latencyMs: 1,
        outcome: 'ok',
        spend: { turns: 1, tokens, costMicros: 0, unpricedCalls: 0 },
      })
      return all
    },
    moved(from: 'waiting' | 'active' | 'paused', to: 'waiting' | 'pending', reason: 'closing' | 'children' | null = null) {
      tell({ type: 'task.moved', taskId: GOAL, from, to, reason, note: null, attempt: 0, wakeAt: null })
      return all
    },
    sign: (patience = 1) =>
      signIn({ trace, now: START + seconds * 1_000, limits: DEFAULT_LIMITS, createdAt: START, deadlineAt: null, patience })?.sign ?? null,
  }
  return all
}
type Life = ReturnType<typeof life>
const times = (count: number, act: (i: number) => unknown): void => {
  for (let i = 0; i < count; i++) act(i)
}

const CASES: [string, (one: Life) => unknown, string | null][] = [
  ['three equal acts are no sign yet', (one) => times(3, () => one.act({ path: 'a' }, 'x')), null],
  ['four equal acts with equal answers are', (one) => times(4, () => one.act({ path: 'a' }, 'x')), 'repeated_action'],
  ['equal acts with other answers are work', (one) => times(9, (i) => one.act({ path: 'a' }, `${i} % done`)), null],
  [
    'answers that differ only in time are equal',
    (one) => times(4, (i) => one.act({ path: 'a' }, `ok at 10:00:0${i}, took ${i} ms`)),
    'repeated_action',
  ],
  [
    'answers that differ only in ids of subtasks are equal',
    (one) => times(4, (i) => one.act({ x: 1 }, `failed: ${GOAL}.${i}a`)),
    'repeated_action',
  ],
  ['three equal errors are a sign', (one) => times(3, () => one.act({ path: 'a' }, 'no such file', { error: true })), 'repeated_error'],
  [
    'an error for five sets of arguments is',
    (one) => times(5, (i) => one.act({ path: `${i}` }, 'no such file', { error: true })),
    'repeated_error',
  ],
  ['four of them are not', (one) => times(4, (i) => one.act({ path: `${i}` }, 'no such file', { error: true })), null],
  ['other errors each time are not', (one) => times(8, (i) => one.act({ path: `${i}` }, `line ${i} is wrong`, { error: true })), null],
  ['three replies without an act are a monologue', (one) => times(3, () => one.talk()), 'monologue'],
  ['who thinks aloud and finds new things is none', (one) => times(9, (i) => (i % 2 ? one.act({ i }, `${i}`) : one.talk())), null],
  ['who thinks aloud and finds nothing new is', (one) => times(11, (i) => (i % 2 ? one.act({ a: i % 4 }, 'x') : one.talk())), 'monologue'],
  ['two states that take turns are ping-pong', (one) => times(6, (i) => one.act({ i: i % 2 }, `${i % 2}`)), 'ping_pong'],
  ['a context cleared thrice for what was known is a loop', (one) => times(4, () => one.act({ a: 1 }, 'x').smaller()), 'repeated_action'],
  ['and with two acts between too', (one) => times(4, () => one.act({ a: 1 }, 'x').smaller().act({ b: 1 }, 'y')), 'ping_pong'],
  ['a context cleared for new pages is not', (one) => times(9, (i) => one.act({ page: i }, `${i}`).smaller()), null],
  ['a circle of three states shows nothing new after twelve', (one) => times(15, (i) => one.act({ i: i % 3 }, `${i % 3}`)), 'no_progress'],
  [
    'a call that took long has waited, and may come again',
    (one) => times(9, () => one.act({ run: 'make' }, 'built', { ms: 60_000 })),
    null,
  ],
  [
    'a quarter of the budget for nothing new is a sign',
    (one) => times(10, (i) => one.act({ i: i % 3 }, `${i % 3}`).spend(200_000)),
    'cost_rate',
  ],
  ['a quarter of the budget for new things is none', (one) => times(8, (i) => one.act({ i }, `${i}`).spend(200_000)), null],
  ['words of a person begin anew', (one) => times(6, (i) => (i === 3 ? one.person() : one.act({ a: 1 }, 'x'))), null],
  [
    'work that was handed in begins anew',
    (one) => times(6, (i) => (i === 3 ? one.moved('active', 'waiting', 'closing') : one.act({ a: 1 }, 'x'))),
    null,
  ],
  [
    'a wait for subtasks does not',
    (one) => times(5, (i) => (i === 2 ? one.moved('waiting', 'pending') : one.act({ a: 1 }, 'x'))),
    'repeated_action',
  ],
  [
    'what a playbook repeats, a person wants repeated',
    (one) => times(9, () => one.act({ a: 1 }, 'no', { error: true, provider: 'playbook' })),
    null,
  ],
]
describe('of the traces of a task', () => {
  test.each(CASES)('%s', (_, lives, sign) => {
    const one = life()
    lives(one)
    expect(one.sign()).toBe(sign)
  })

  it('twice the patience takes twice the repetitions', () => {
    const one = life()
    times(7, () => one.act({ a: 1 }, 'x'))
    expect(one.sign(2)).toBeNull()
    expect(one.act({ a: 1 }, 'x').sign(2)).toBe('repeated_action')
  })

  it('the memory of a thousand turns is no larger than that of a hundred', () => {
    const sizeAfter = (turns: number) => {
      const one = life()
      times(turns, (i) => one.act({ i }, `${i}`).spend(10))
      expect(one.trace().steps).toHaveLength(STEPS)
      return JSON.stringify(one.trace()).length
    }
    expect(sizeAfter(1_000)).toBeLessThan(sizeAfter(100) * 1.1)
  })
})

test('numbers that may be progress stay in what is compared', () =>
  expect(plain('12 of 40 files, 30 %, 4 kB in 3.5 s at 2026-01-02T03:04:05Z', GOAL)).toBe('12 of 40 files, 30 %, 4 kB in # at #'))
