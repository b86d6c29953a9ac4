/** Routes of changes of the system's own code: the list, one change with its gates and its story, its diff, and taking it back. */
import * as z from 'zod'
import { AUTONOMY, CHANGE_KINDS, CHANGE_STATES, type Change, type Gate, VERDICTS } from './change.ts'
import { count, listOf, one, page, text, time } from './route.ts'

const ChangedFile = z
  .object({
    path: text,
    from: text.nullable(),
    what: z.enum(['new', 'changed', 'deleted', 'renamed']),
    added: count,
    removed: count,
    hash: text.optional(),
  })
  .meta({ id: 'ChangedFile' })
/** `level`: 0 text, 1 a tool by itself, 2 code, 3 always a person, 4 never. `join`: the one command that brings it to the person's branch. */
export const ChangeItem = z
  .object({
    id: text,
    kind: z.enum(CHANGE_KINDS),
    state: z.enum(CHANGE_STATES),
    title: text,
    why: text,
    evidence: text,
    effect: text,
    author: text,
    treeId: text.nullable(),
    taskId: text.nullable(),
    level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).nullable(),
    reasons: z.array(text),
    note: text.nullable(),
    files: z.array(ChangedFile),
    base: text.nullable(),
    commit: text.nullable(),
    tree: text.nullable(),
    round: count,
    reviewId: text.nullable(),
    decidedBy: text.nullable(),
    landed: text.nullable(),
    join: text.nullable(),
    reverts: text.nullable(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Change' }) satisfies z.ZodType<Change>
const GateItem = z
  .object({ name: text, verdict: z.enum(VERDICTS), summary: text, ms: count, digest: text, at: time })
  .meta({ id: 'Gate' }) satisfies z.ZodType<Gate>
/** A mark of a file. `hash`: that of the file as it was seen; a file of another hash is not viewed yet. */
const ViewedFile = z.object({ path: text.min(1).max(1_000), hash: text.min(1).max(100) }).meta({ id: 'ViewedFile' })
export type ViewedFile = z.output<typeof ViewedFile>
const Step = z.object({ at: time, state: z.enum(CHANGE_STATES), note: text.nullable() })

/** What a review item of a change holds, as far as programs read it. */
export const ChangeShown = z.object({
  change: text,
  level: count,
  reasons: z.array(text),
  files: z.array(ChangedFile),
  gates: z.array(z.object({ name: text, verdict: z.enum(VERDICTS), summary: text })),
  author: z.object({ agent: text, says: z.object({ why: text, evidence: text, effect: text }) }),
})

/** What the keeper did with a revision. `ready`: it answers and may work. `restored`: the database is back to before a failed trial. */
const KeeperFact = z
  .object({
    at: time,
    type: z.enum(['boot', 'ready', 'kept', 'undone', 'refused', 'crash', 'safe-mode', 'restored']),
    slot: text.nullable(),
    reason: text.nullable(),
  })
  .meta({ id: 'KeeperFact' })
export type KeeperFact = z.output<typeof KeeperFact>
/** A revision that the keeper has at hand. `state`: on trial while it is watched. `source`: who brought it. */
const Slot = z
  .object({
    name: z.enum(['A', 'B', 'golden']),
    commit: text.nullable(),
    tree: text,
    state: z.enum(['trial', 'kept', 'undone']),
    source: z.enum(['checkout', 'change']),
    changeId: text.nullable(),
  })
  .meta({ id: 'Slot' })
export type Slot = z.output<typeof Slot>
/** A change that has landed and is not kept yet. */
const Landing = z.object({ id: text, title: text, state: z.enum(['merged', 'restarting', 'watching']) }).meta({ id: 'ChangeLanding' })

/**
 * `why`: why code cannot be changed here, with the mend. `nested`: tests of the sandbox of commands run among the gates too. `landing`: the
 * change that is being started or watched just now.
 */
export const SelfState = z
  .object({
    on: z.boolean(),
    why: text.nullable(),
    nested: z.boolean().nullable(),
    autonomy: z.enum(AUTONOMY),
    keeper: z.boolean(),
    landing: Landing.nullable(),
  })
  .meta({ id: 'SelfChangeState' })
export type SelfState = z.output<typeof SelfState>

const RemoteRequest = z
  .object({
    remote: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'It is the name of a remote, such as origin.')
      .default('origin'),
    branch: z
      .string()
      .regex(/^(?!.*(?:\.\.|\/\/|\.lock$))[A-Za-z0-9][\w./-]{0,199}$/, 'It is the name of a branch, such as main.')
      .optional(),
  })
  .strict()
  .meta({ id: 'RemoteRequest' })

export const CHANGE_ROUTES = {
  changes: one({
    method: 'GET',
    path: '/api/changes',
    scope: 'read',
    summary: "Changes of Banyan's own code, newest first",
    status: 200,
    query: z.object({ ...page, state: z.enum(['open', 'all']).default('all'), treeId: text.max(100).optional() }),
    response: listOf(ChangeItem),
  }),
  change: one({
    method: 'GET',
    path: '/api/changes/{id}',
    scope: 'read',
    summary: 'One change: what, why, by which task, its gates and its story',
    status: 200,
    /** `keeper`: what it did with this change, oldest first. `watchSeconds`: how long a new revision is watched before it is kept. */
    response: z
      .object({ change: ChangeItem, gates: z.array(GateItem), story: z.array(Step), keeper: z.array(KeeperFact), watchSeconds: count })
      .meta({ id: 'ChangeDetail' }),
  }),
  changeGate: one({
    method: 'GET',
    path: '/api/changes/{id}/gates/{name}',
    scope: 'read',
    summary: 'What a gate wrote',
    status: 200,
    response: z.object({ name: text, log: text }),
  }),
  changeDiff: one({
    method: 'GET',
    path: '/api/changes/{id}/diff',
    scope: 'read',
    summary: 'Its diff, or that of one file, built from what would land',
    status: 200,
    query: z.object({ path: text.max(1_000).optional() }),
    response: z.object({ text, cut: z.boolean() }),
  }),
  changeViews: one({
    method: 'GET',
    path: '/api/changes/{id}/viewed',
    scope: 'read',
    summary: 'Files of a change that whoever asks has looked at, each with the hash of what was seen',
    status: 200,
    response: z.object({ items: z.array(ViewedFile), nextCursor: z.null() }),
  }),
  viewChange: one({
    method: 'PUT',
    path: '/api/changes/{id}/viewed',
    scope: 'person',
    summary: 'A person has looked at files of a change, or wants to look at them again; answers all that they have looked at',
    status: 200,
    request: z
      .object({ files: z.array(ViewedFile).min(1).max(500), viewed: z.boolean() })
      .strict()
      .meta({ id: 'ViewedRequest' }),
    response: z.object({ items: z.array(ViewedFile), nextCursor: z.null() }),
  }),
  rollbackChange: one({
    method: 'POST',
    path: '/api/changes/{id}/rollback',
    scope: 'person',
    summary: 'A person who may change Banyan takes a change back that has landed; answers the change that does it',
    status: 202,
    request: z
      .object({ comment: text.max(2_000).optional() })
      .strict()
      .meta({ id: 'RollbackRequest' }),
    optionalBody: true,
    response: ChangeItem,
  }),
  pullSource: one({
    method: 'POST',
    path: '/api/system/source/pull',
    scope: 'person',
    summary: 'A person lets the main branch of the source come forward to that of a remote of the checkout; it runs from the next start on',
    status: 200,
    request: RemoteRequest,
    optionalBody: true,
    /** `commits`: how many came. `landed`: the branch that moved; `join` as in a change. */
    response: z
      .object({
        remote: text,
        branch: text,
        from: text,
        to: text,
        commits: count,
        landed: z.object({ branch: text, join: text.nullable() }).nullable(),
      })
      .meta({ id: 'SourcePulled' }),
  }),
  pushSource: one({
    method: 'POST',
    path: '/api/system/source/push',
    scope: 'person',
    summary: 'A person gives the main branch of the source to a remote of the checkout; nothing there is overwritten',
    status: 200,
    request: RemoteRequest,
    optionalBody: true,
    response: z.object({ remote: text, branch: text, to: text, commits: count }).meta({ id: 'SourcePushed' }),
  }),
  selfState: one({
    method: 'GET',
    path: '/api/system/self-change',
    scope: 'read',
    summary: 'Whether Banyan can change its own code here, why not, and what needs no person',
    status: 200,
    response: SelfState,
  }),
  slots: one({
    method: 'GET',
    path: '/api/system/slots',
    scope: 'read',
    summary: 'The revisions that the keeper has at hand: which runs, which it would go back to, which failed',
    status: 200,
    /** `active`, `good`: names of slots; null where no keeper has run here. `good` is the one to go back to. `safe`: golden runs, with agents off. */
    response: z
      .object({
        active: z.enum(['A', 'B', 'golden']).nullable(),
        good: z.enum(['A', 'B']).nullable(),
        safe: z.boolean(),
        items: z.array(Slot),
        failed: z.array(z.object({ tree: text, at: time, reason: text, changeId: text.nullable() })),
      })
      .meta({ id: 'Slots' }),
  }),
  saveAutonomy: one({
    method: 'PUT',
    path: '/api/system/self-change',
    scope: 'person',
    summary: 'The owner says which changes need no person: none, texts, tools by themselves, or code too. Levels 3 and 4 always do',
    status: 200,
    request: z
      .object({ autonomy: z.enum(AUTONOMY) })
      .strict()
      .meta({ id: 'AutonomyRequest' }),
    response: SelfState,
  }),
} as const
