/** A change of the system's own code: what it is, the states it goes through, and who must agree. */

/**
 * `proposed`: an agent has submitted it and it waits for its turn. `gating`: the gates run. `review`: a person is asked. `merged`: it is on the
 * system's main branch. `restarting`, `watching`: the keeper starts it and looks whether it works. The last three are ends.
 */
export const CHANGE_STATES = ['proposed', 'gating', 'review', 'merged', 'restarting', 'watching', 'kept', 'undone', 'refused'] as const
export type ChangeState = (typeof CHANGE_STATES)[number]

const MOVES: Readonly<Record<ChangeState, readonly ChangeState[]>> = {
  proposed: ['gating', 'refused'],
  gating: ['gating', 'review', 'refused'],
  review: ['gating', 'merged', 'refused'],
  merged: ['restarting', 'kept', 'undone'],
  restarting: ['watching', 'kept', 'undone'],
  watching: ['kept', 'undone'],
  kept: ['undone'],
  undone: [],
  refused: [],
}
export const mayMove = (from: ChangeState, to: ChangeState): boolean => MOVES[from].includes(to)
/** Nothing more happens to it by itself. */
export const isSettled = (state: ChangeState): boolean => state === 'kept' || state === 'undone' || state === 'refused'

/** What a change is. A `fix` must bring a test that fails without it. `rollback`: a person takes an earlier change back. */
export const CHANGE_KINDS = ['feature', 'fix', 'refactor', 'docs', 'rollback'] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]

/**
 * Who must agree. 0: texts; nobody. 1: a tool that stands for itself. 2: code. 3: dependencies, tests that go, grants, models, what watches
 * agents; always a person. 4: what guards the system; never through an agent.
 */
export type Level = 0 | 1 | 2 | 3 | 4
export const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  0: 'text only',
  1: 'a tool that stands for itself',
  2: 'code of the system',
  3: 'always decided by a person',
  4: 'never changed through an agent',
}
/** The highest level that needs no person. Raised by the owner alone; level 3 and 4 are beyond it. */
export const AUTONOMY = ['none', 'texts', 'tools', 'code'] as const
export type Autonomy = (typeof AUTONOMY)[number]
export const mayGoAlone = (level: Level, autonomy: Autonomy): boolean => level < 3 && level < AUTONOMY.indexOf(autonomy)

export const VERDICTS = ['passed', 'failed', 'skipped'] as const
export type GateVerdict = (typeof VERDICTS)[number]
export type Gate = {
  name: string
  verdict: GateVerdict
  /** One sentence. */
  summary: string
  ms: number
  /** Over what was looked at, the verdict and the log. */
  digest: string
  at: string
}

export type ChangedFile = {
  path: string
  from: string | null
  what: 'new' | 'changed' | 'deleted' | 'renamed'
  added: number
  removed: number
  /** Of what it was and what it becomes: another one is another difference. Missing in changes from before it was kept. */
  hash?: string | undefined
}

/** A change as it stands. */
export type Change = {
  id: string
  kind: ChangeKind
  state: ChangeState
  title: string
  why: string
  evidence: string
  effect: string
  /** Who wrote it, and for which task; null: a person took something back. */
  author: string
  treeId: string | null
  taskId: string | null
  level: Level | null
  /** Why it has that level. */
  reasons: string[]
  /** Why it is in that state, where there is something to say. */
  note: string | null
  files: ChangedFile[]
  /** What it was built on, the commit that would land and the tree of files in it; null before the gates. */
  base: string | null
  commit: string | null
  tree: string | null
  /** How often the gates ran: again when main has moved on meanwhile. */
  round: number
  reviewId: string | null
  decidedBy: string | null
  /** The branch that it landed on. `join`: the one command that brings it to the person's own branch. */
  landed: string | null
  join: string | null
  /** The change that it takes back, and the one that took it back. */
  reverts: string | null
  createdAt: string
  updatedAt: string
}
