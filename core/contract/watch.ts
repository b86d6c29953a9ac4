/** What the watchdog sees in a task that does not get on, and how far it went to help it. */
import * as z from 'zod'

export const SIGNS = [
  'repeated_action', // the same calls with the same answers
  'repeated_error', // the same error again and again
  'monologue', // words without acts
  'ping_pong', // two states taking turns
  'overflow_loop', // the context is made smaller again and again
  'no_progress', // many acts that showed nothing new
  'cost_rate', // a large part of the budget in a short time, for nothing new
  'deadline', // the time that it was given is nearly over
  'unclaimed', // it waits for an outside agent, and none takes it up
] as const
export type Sign = (typeof SIGNS)[number]

/**
 * How far it went, mildest first. `seen`: nothing was done yet. `nudged`: the agent was told. `model`: another model goes on. `supervised`: the
 * task is held while the supervisor judges. `parked`: the task is held, and a person is asked. `told`: people know, and nothing is held.
 */
export const RUNGS = ['seen', 'nudged', 'model', 'supervised', 'parked', 'told'] as const
export type Rung = (typeof RUNGS)[number]

export type Finding = {
  sign: Sign
  /** One sentence for people and models: what was counted. */
  words: string
  /** Where it began. */
  since: string
  /** Ids of the calls that show it, newest last. */
  calls: string[]
}

export const Watch = z.object({
  sign: z.enum(SIGNS),
  words: z.string(),
  since: z.iso.datetime(),
  calls: z.array(z.string()),
  rung: z.enum(RUNGS),
  at: z.iso.datetime(),
})
/** What a task shows of it while it lasts. */
export type Watch = z.output<typeof Watch>

/** How soon a task that does not get on is helped. `patient`: after twice as many repetitions. */
export const WATCHDOG_CHOICES = ['normal', 'patient', 'off'] as const
export type WatchdogChoice = (typeof WATCHDOG_CHOICES)[number]

/** The words that people read for a sign. */
export const SIGN_WORDS: Record<Sign, string> = {
  repeated_action: 'repeats itself',
  repeated_error: 'repeats an error',
  monologue: 'talks without acting',
  ping_pong: 'goes back and forth',
  overflow_loop: 'outgrows its context again and again',
  no_progress: 'finds nothing new',
  cost_rate: 'spends fast for nothing new',
  deadline: 'is running out of time',
  unclaimed: 'waits for an outside agent that does not come',
}
export const RUNG_WORDS: Record<Rung, string> = {
  seen: 'seen',
  nudged: 'its agent was told',
  model: 'another model goes on',
  supervised: 'held while the supervisor looks at it',
  parked: 'held, a person is asked',
  told: 'a person is asked',
}
/** "repeats itself: its agent was told" */
export const watchText = ({ sign, rung }: Pick<Watch, 'sign' | 'rung'>): string =>
  rung === 'seen' ? SIGN_WORDS[sign] : `${SIGN_WORDS[sign]}: ${RUNG_WORDS[rung]}`
