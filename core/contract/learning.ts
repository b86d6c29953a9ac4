/** What the system learns from its own history, and what of it takes effect. */
import * as z from 'zod'

/**
 * How a tool goes about its calls beyond what each call says; a part of its entry in the registry, so every version of it can be put back.
 * `seconds`: the time limit of commands that name none, in place of the tool's own. `limits`: the same for one program. `repeats`: failures that pass by themselves. A call that
 * changes nothing when it is done again is repeated up to `times` times, `waitMs` apart, where a line of its error reads like `error`; `…`
 * in it stands for anything.
 */
export const Habits = z
  .object({
    seconds: z.number().int().min(1).max(3_600).optional(),
    limits: z
      .array(z.object({ program: z.string().min(1).max(100), seconds: z.number().int().min(1).max(3_600) }).strict())
      .max(50)
      .default([]),
    repeats: z
      .array(
        z
          .object({
            error: z.string().min(12).max(300),
            times: z.number().int().min(1).max(5),
            waitMs: z.number().int().min(0).max(30_000),
          })
          .strict(),
      )
      .max(50)
      .default([]),
  })
  .strict()
export type Habits = z.output<typeof Habits>
export type TimeLimit = Habits['limits'][number]
export type Repeat = Habits['repeats'][number]

/**
 * `limit` and `repeat` change a tool's habits: what they do can be measured without a model. `words` add a paragraph to an instruction or a
 * document: only a live model can tell what they do.
 */
export const LESSON_KINDS = ['limit', 'repeat', 'words'] as const
/**
 * found → judging → better or no_better. A person keeps one that is better, or declines one; `undone`: it was kept, and an earlier version of
 * the tool was put back. Words are `untested` in place of `found`, and a person may keep them so.
 */
export const LESSON_STATES = ['found', 'untested', 'judging', 'better', 'no_better', 'kept', 'declined', 'undone'] as const
export type LessonState = (typeof LESSON_STATES)[number]

/** One goal of the built-in set in both arms: how often it was tried, how often it ended as it should, and its median time. */
export const ArmFigures = z.object({
  goal: z.string(),
  tries: z.number().int().min(0),
  done: z.number().int().min(0),
  medianMs: z.number().min(0).nullable(),
})
export type ArmFigures = z.output<typeof ArmFigures>
/** `p`: how likely a difference this large in successes is by chance, each goal compared only with itself. */
export const Judgement = z.object({
  before: z.array(ArmFigures),
  after: z.array(ArmFigures),
  p: z.number().min(0).max(1),
  better: z.boolean(),
  words: z.string(),
})
export type Judgement = z.output<typeof Judgement>

/** What words are drafted from: verdicts of evaluators, flags that a person answered, calls that were refused and then went well. */
export const WORD_SIGNS = ['verdict', 'flag', 'call'] as const
export const Words = z.object({
  target: z.object({ kind: z.enum(['agent', 'document']), name: z.string() }),
  sign: z.enum(WORD_SIGNS),
  /** What all cases have in common; it says which lesson it is, however the figures grow. */
  key: z.string(),
  /** The paragraph as it would stand at the end of the instruction or document. */
  text: z.string().min(1).max(2_000),
})
export type Words = z.output<typeof Words>
export type LessonChange = { kind: 'limit'; limit: TimeLimit } | { kind: 'repeat'; repeat: Repeat } | { kind: 'words'; words: Words }

/** Whether a line reads like a pattern with `…` for anything. Plain text otherwise, so no pattern can be slow. */
export function readsLike(line: string, pattern: string): boolean {
  let from = 0
  for (const part of pattern.split('…').map((one) => one.trim())) {
    if (part === '') continue
    const at = line.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return true
}

/** The program that a line begins with: a plain name, after settings of variables. */
export function programOf(line: string): string | null {
  return /^\s*(?:[A-Za-z_]\w*=\S*\s+)*([A-Za-z0-9_.+-]+)(?=\s|$)/.exec(line)?.[1] ?? null
}
