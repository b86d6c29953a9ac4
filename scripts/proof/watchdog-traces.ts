/**
 * Made-up lives of tasks for the watchdog's proof: sixty that are stuck, ten of each of six kinds, and seventy that are healthy but slow, ten of each of
 * seven kinds. No two are alike: tools, arguments, answers, paces, lengths of loops and healthy beginnings are drawn, from a seed that is printed.
 */
import fc from 'fast-check'

/** One thing that happens in a task. Seconds are of the clock of the proof, which nobody waits for. */
export type Beat =
  | { do: 'turn'; seconds: number; calls: { tool: string; input: unknown; answer: string; isError?: boolean; seconds?: number }[] }
  | { do: 'talk'; seconds: number; text: string }
  | { do: 'smaller'; how: 'cleared' | 'summarised' | 'overflow' }
  | { do: 'quota'; seconds: number }
  | { do: 'person'; seconds: number }
  | { do: 'children'; count: number; seconds: number }
  | { do: 'job'; name: string; event: 'started' | 'ended' }
export type Life = {
  kind: string
  /** What comes before the trouble, or all of a healthy life. */
  beats: Beat[]
  /** The trouble: these again and again until something is done about it. */
  loop?: Beat[]
  /** Beats of the loop after which it is a sign. */
  after?: number
}

const word = fc.stringMatching(/^[a-z]{4,9}$/)
const path = fc.tuple(word, word, fc.constantFrom('md', 'txt', 'ts', 'csv', 'json')).map(([a, b, end]) => `${a}/${b}.${end}`)
const pace = fc.integer({ min: 1, max: 8 })
const answerText = fc.array(word, { minLength: 3, maxLength: 30 }).map((words) => words.join(' '))
const READS = ['read_file', 'search_files', 'list_files', 'read_document', 'query_database', 'web_fetch'] as const
const tool = fc.constantFrom(...READS, 'use_terminal', 'edit_file')
const error = fc.constantFrom(
  'There is no such file in the workspace.',
  'ENOENT: no such file or directory',
  'The old text was not found in the file.',
  'exit code 1: error TS2322: Type "string" is not assignable',
  'permission denied',
  'The arguments are not right: path is required',
)
const act = fc.record({ tool, input: fc.record({ path, query: word }), answer: answerText })
const turnOf = (seconds: number, calls: Extract<Beat, { do: 'turn' }>['calls']): Beat => ({ do: 'turn', seconds, calls })

/** Work that gets on: acts that differ. */
const healthy = (min: number, max: number) =>
  fc
    .tuple(fc.uniqueArray(act, { minLength: min, maxLength: max, selector: (one) => one.input.path + one.input.query }), pace)
    .map(([acts, seconds]): Beat[] => acts.map((one) => turnOf(seconds, [one])))

const loops: Record<string, fc.Arbitrary<Life>> = {
  'repeats itself': fc.tuple(healthy(0, 6), fc.array(act, { minLength: 1, maxLength: 3 }), pace).map(([beats, calls, seconds]) => ({
    kind: 'repeats itself',
    beats,
    loop: [turnOf(seconds, calls)],
    after: 4,
  })),
  'repeats an error': fc.tuple(healthy(0, 6), act, error, pace, fc.boolean()).chain(([beats, one, said, seconds, same]) =>
    fc.uniqueArray(path, { minLength: 5, maxLength: 8 }).map((paths) => ({
      kind: 'repeats an error',
      beats,
      loop: (same ? [one.input.path] : paths).map((path) =>
        turnOf(seconds, [{ tool: one.tool, input: { path }, answer: said, isError: true }]),
      ),
      after: same ? 3 : 5,
    })),
  ),
  'talks without acting': fc
    .tuple(healthy(0, 4), act, answerText, pace, fc.constantFrom('m', 'mma', 'ma', 'mmama'))
    .map(([beats, one, text, seconds, shape]) => ({
      kind: 'talks without acting',
      beats: shape === 'm' ? beats : [...beats, turnOf(seconds, [one])],
      loop: [...shape].map((letter, i): Beat => (letter === 'm' ? { do: 'talk', seconds, text: `${text} ${i}` } : turnOf(seconds, [one]))),
      after: shape === 'm' ? 3 : 7,
    })),
  'goes back and forth': fc
    .tuple(healthy(0, 6), act, act, pace)
    .filter(([, a, b]) => JSON.stringify(a) !== JSON.stringify(b))
    .map(([beats, a, b, seconds]) => ({
      kind: 'goes back and forth',
      beats,
      loop: [turnOf(seconds, [a]), turnOf(seconds, [b])],
      after: 6,
    })),
  'outgrows its context': fc
    .tuple(
      healthy(0, 4),
      act,
      pace,
      fc.constantFrom('cleared' as const, 'summarised' as const, 'overflow' as const),
      fc.integer({ min: 1, max: 2 }),
    )
    .map(([beats, one, seconds, how, turns]) => ({
      kind: 'outgrows its context',
      // The same file has been read before, and is read again each time after it was cleared away.
      beats: [...beats, turnOf(seconds, [one])],
      loop: [
        { do: 'smaller' as const, how },
        ...Array.from({ length: turns }, (_, i) => turnOf(seconds, [{ ...one, input: { ...one.input, page: i % 2 } }])),
      ],
      after: 3 * (turns + 1),
    })),
  'finds nothing new': fc
    .tuple(healthy(0, 6), fc.uniqueArray(act, { minLength: 3, maxLength: 6, selector: (one) => one.input.path }), pace)
    .map(([beats, acts, seconds]) => ({
      kind: 'finds nothing new',
      beats,
      loop: acts.map((one) => turnOf(seconds, [one])),
      after: acts.length + 12,
    })),
}

const minutes = (from: number, to: number) => fc.integer({ min: from * 60, max: to * 60 })
const lives: Record<string, fc.Arbitrary<Life>> = {
  'long builds': fc
    .tuple(healthy(1, 3), word, minutes(1, 50), fc.integer({ min: 2, max: 9 }), fc.boolean())
    .map(([beats, name, seconds, times, fails]) => ({
      kind: 'long builds',
      beats: [
        ...beats,
        ...Array.from({ length: times }, (_, i) =>
          turnOf(5, [
            {
              tool: 'use_terminal',
              input: { command: `make ${name}` },
              answer: fails ? `exit code 2: ${20 - i} tests failed` : 'exit code 0: built',
              seconds,
            },
          ]),
        ),
      ],
    })),
  'many children': fc
    .tuple(healthy(1, 3), fc.integer({ min: 5, max: 15 }), minutes(5, 300), healthy(1, 4))
    .map(([beats, count, seconds, rest]) => ({
      kind: 'many children',
      beats: [...beats, { do: 'children', count, seconds }, ...rest],
    })),
  'a person takes days': fc
    .tuple(healthy(1, 4), fc.array(fc.integer({ min: 3_600, max: 5 * 86_400 }), { minLength: 1, maxLength: 4 }), healthy(1, 3))
    .map(([beats, waits, rest]) => ({
      kind: 'a person takes days',
      beats: [...beats, ...waits.map((seconds): Beat => ({ do: 'person', seconds })), ...rest],
    })),
  'rate limits': fc
    .tuple(healthy(1, 4), fc.array(minutes(1, 45), { minLength: 4, maxLength: 9 }), healthy(1, 3))
    .map(([beats, waits, rest]) => ({
      kind: 'rate limits',
      beats: [...beats, ...waits.map((seconds): Beat => ({ do: 'quota', seconds })), ...rest],
    })),
  'big reads': fc
    .tuple(path, fc.integer({ min: 15, max: 40 }), pace, fc.integer({ min: 2, max: 4 }))
    .map(([path, pages, seconds, each]) => ({
      kind: 'big reads',
      beats: Array.from({ length: pages }, (_, i): Beat[] => [
        turnOf(seconds, [{ tool: 'read_file', input: { path, from: i * 30_000 }, answer: `page ${i} ${'x'.repeat(200)}` }]),
        ...(i % each === each - 1 ? [{ do: 'smaller' as const, how: 'cleared' as const }] : []),
      ]).flat(),
    })),
  'polls of a job': fc.tuple(healthy(1, 3), fc.integer({ min: 8, max: 30 }), minutes(1, 3), word).map(([beats, polls, seconds, name]) => ({
    kind: 'polls of a job',
    beats: [
      ...beats,
      { do: 'job', name: 'job1', event: 'started' },
      ...Array.from({ length: polls }, () =>
        turnOf(seconds, [{ tool: 'terminal_job', input: { job: 'job1', act: 'poll' }, answer: `job1 runs: make ${name}; nothing new` }]),
      ),
      { do: 'job', name: 'job1', event: 'ended' },
      turnOf(5, [{ tool: 'terminal_job', input: { job: 'job1', act: 'poll' }, answer: 'job1 ended with exit code 0' }]),
    ],
  })),
  'edits and tests': fc.tuple(path, fc.integer({ min: 6, max: 15 }), pace, word).map(([path, rounds, seconds, name]) => ({
    kind: 'edits and tests',
    beats: Array.from({ length: rounds }, (_, i): Beat[] => [
      { do: 'talk', seconds, text: `Next I mend case ${i}.` },
      turnOf(seconds, [{ tool: 'edit_file', input: { path, old: `${name}${i}`, new: `${name}${i + 1}` }, answer: 'Edited.' }]),
      // The same test twice in a row with the same failure, then the next one.
      ...[0, 1].map(() =>
        turnOf(seconds, [{ tool: 'use_terminal', input: { command: 'npm test' }, answer: `exit code 1: case ${i} failed`, isError: true }]),
      ),
    ]).flat(),
  })),
}

const drawn = (kinds: Record<string, fc.Arbitrary<Life>>, seed: number, each: number): Life[] =>
  Object.values(kinds).flatMap((arbitrary, i) => fc.sample(arbitrary, { seed: seed + i, numRuns: each }))
export const stuckLives = (seed: number, each = 10): Life[] => drawn(loops, seed, each)
export const healthyLives = (seed: number, each = 10): Life[] => drawn(lives, seed, each)
