/** What people ask of the system itself, and what came of it. */

/** `look`: a goal was told of. `start`: a new one was begun. */
export const ASK_ACTS = ['look', 'cancel', 'pause', 'resume', 'steer', 'start'] as const
export type AskAct = (typeof ASK_ACTS)[number]

/** More than one: any of them could be meant, and nothing was done. */
export const choicesIn = (goals: readonly string[]): boolean => goals.length > 1

/** Characters of an ask; longer work is a goal. */
export const ASK_LIMIT = 20_000
