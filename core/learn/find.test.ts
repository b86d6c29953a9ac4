import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { programOf, readsLike } from '../contract/learning.ts'
import { patternOf } from './errors.ts'
import { findLessons, type Run } from './find.ts'
import { chance, judge } from './judge.ts'

describe('the pattern of an error', () => {
  test.each([
    ["fatal: Unable to create '/home/a/b/.git/index.lock': File exists.", "fatal: Unable to create '…': File exists."],
    ['/bin/sh: 1: cannot create ledger.lock: File exists', '…: cannot create …: File exists'],
    ["fatal: cannot lock ref 'HEAD': is at 5d33e8dd2339 but expected e081f143196d", "fatal: cannot lock ref '…': is at … but expected …"],
    ['building\nerror: connect ECONNREFUSED 127.0.0.1:5432\nat main', 'error: connect ECONNREFUSED …'],
  ])('leaves out what differs from case to case: %j', (text, pattern) => {
    expect(patternOf(text)).toBe(pattern)
  })
  test('is none where a text says too little', () => {
    expect(patternOf('')).toBeNull()
    expect(patternOf('42 17')).toBeNull()
    expect(patternOf('/tmp/a/b/c')).toBeNull()
  })
  test('reads like the text that it was made of, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('error:', 'file', "'a b'", '/x/y.txt', '17', 'deadbeef12', 'busy', ' ', '.'), { maxLength: 20 }),
        (parts) => {
          const text = parts.join(' ')
          const pattern = patternOf(text)
          return pattern === null || text.split('\n').some((line) => readsLike(line, pattern))
        },
      ),
    )
  })
  test('matches its parts in their order and nothing else', () => {
    expect(readsLike('a lock b held', 'lock … held')).toBe(true)
    expect(readsLike('held lock', 'lock … held')).toBe(false)
  })
})

test.each([
  ['make -j4 all', 'make'],
  ['CC=gcc  DEBUG=1 make', 'make'],
  ['  npm test', 'npm'],
  ['./build.sh', null],
  ['(cd a; make)', null],
  ['"quoted" x', null],
])('the program of %j is %j', (line, program) => {
  expect(programOf(line)).toBe(program)
})

const LOCKED = "fatal: Unable to create '/w/.git/index.lock': File exists."
let clock = 0
const run = (treeId: string, line: string, outcome: Run['outcome'], more: Partial<Run> = {}): Run => {
  clock += 1_000
  const id = `${treeId}.${clock}`
  const limitSeconds = outcome === 'timed_out' ? 120 : null
  const error = outcome === 'failed' ? LOCKED : ''
  return {
    treeId,
    taskId: id,
    callId: `${id}/c`,
    line,
    limited: false,
    begunAt: clock,
    endedAt: clock + 100,
    outcome,
    limitSeconds,
    error,
    ...more,
  }
}
const again = (treeId: string, line: string): Run[] => [run(treeId, line, 'failed'), run(treeId, line, 'ok')]

describe('lessons of the history', () => {
  test('an error passes by itself when the same commands of several goals went well the next time', () => {
    const [lesson, ...more] = findLessons([...again('a', 'git commit'), ...again('b', 'git commit'), ...again('b', 'git add .')])
    expect(more).toEqual([])
    expect(lesson).toMatchObject({
      change: { kind: 'repeat', repeat: { error: "fatal: Unable to create '…': File exists.", times: 2, waitMs: 900 } },
      why: '3 commands in 2 goals failed with it and went well when they were done again; 0 did not.',
    })
    expect(lesson?.cases).toHaveLength(3)
  })
  test('what happened in one goal only is no lesson', () => {
    expect(findLessons([...again('a', '1'), ...again('a', '2'), ...again('a', '3')])).toEqual([])
  })
  test('an error that mostly stays is no lesson', () => {
    const stayed = ['c', 'd', 'e', 'f'].flatMap((tree) => [run(tree, 'x', 'failed'), run(tree, 'x', 'failed')])
    expect(findLessons([...again('a', '1'), ...again('b', '2'), ...again('b', '3'), ...stayed])).toEqual([])
  })
  test('a command that nobody did again says nothing', () => {
    expect(findLessons(['a', 'b', 'c', 'd'].map((tree) => run(tree, 'x', 'failed')))).toEqual([])
  })
  test('the same words in another goal are another command', () => {
    expect(findLessons([run('a', 'x', 'failed'), run('b', 'x', 'ok'), run('c', 'x', 'failed'), run('d', 'x', 'ok')])).toEqual([])
  })
  test('a program that ran into a limit which nobody had chosen gets more, twice its longest good run or three times the limit', () => {
    const cut = ['a', 'b', 'b'].map((tree) => run(tree, 'make all', 'timed_out'))
    expect(findLessons(cut).map((one) => one.change)).toEqual([{ kind: 'limit', limit: { program: 'make', seconds: 360 } }])
    clock += 1_000_000
    const long = run('c', 'make all', 'ok', { limited: true, begunAt: clock, endedAt: clock + 400_000 })
    expect(findLessons([...cut, long]).map((one) => one.change)).toEqual([{ kind: 'limit', limit: { program: 'make', seconds: 800 } }])
  })
  test('a limit that the call named itself is nobody else to blame for', () => {
    expect(findLessons(['a', 'b', 'c'].map((tree) => run(tree, 'make', 'timed_out', { limited: true })))).toEqual([])
  })
})

const arm = (...done: number[]) => done.map((n, i) => ({ goal: `g${i}`, tries: 5, done: n, medianMs: 1 }))
describe('the judgement of two arms', () => {
  test('0 of 5 against 5 of 5 of one goal is beyond chance, and goals that never change say nothing either way', () => {
    expect(chance([{ tries: [5, 5], done: [0, 5] }])).toBeCloseTo(1 / 252)
    expect(judge(arm(0, 5, 0), arm(5, 5, 0))).toMatchObject({ better: true })
    expect(judge(arm(0, 5, 0), arm(5, 5, 0)).p).toBeCloseTo(1 / 252)
  })
  test('a little more may be chance', () => {
    expect(judge(arm(3), arm(5))).toMatchObject({ better: false })
  })
  test('it is not better where one goal does worse, however much the others gain', () => {
    expect(judge(arm(0, 0, 5), arm(5, 5, 3))).toMatchObject({ better: false, words: expect.stringContaining('"g2" does worse') as string })
  })
  test('equal arms are never better, and chances are chances', () => {
    const figures = fc.array(fc.record({ tries: fc.constant([5, 5] as const), done: fc.tuple(fc.nat(5), fc.nat(5)) }), { maxLength: 6 })
    fc.assert(
      fc.property(figures, (strata) => {
        const p = chance(strata)
        return p > 0 && p <= 1
      }),
    )
    fc.assert(fc.property(fc.array(fc.nat(5), { maxLength: 6 }), (done) => !judge(arm(...done), arm(...done)).better))
  })
})
