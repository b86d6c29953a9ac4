/** What a person may say with a goal beside its words: how much is asked about, and which files come along. */

/**
 * How much of what agents do is put before a person. `ask_all`: everything that changes something or reaches out, commands of the goal too.
 * `ask_risky`: what the policy finds risky, as always. `run_free`: commands that run in a sandbox without network, keys or a way out are not
 * asked about. Rules of the system win over it: it never allows what a rule asks about or denies.
 */
export const APPROVALS = ['ask_all', 'ask_risky', 'run_free'] as const
export type Approval = (typeof APPROVALS)[number]

/** Files that come with one goal, and the bytes of all of them. */
export const ATTACHMENTS = 20
export const ATTACHED_BYTES = 500_000_000
/** A file that no goal took is kept this long. */
export const UPLOAD_HOURS = 24

/** How a goal stands as a whole, by its root task. `you`: something of it waits for a person. */
export const GOAL_STATES = ['open', 'you', 'done', 'failed', 'stopped'] as const
export type GoalState = (typeof GOAL_STATES)[number]
