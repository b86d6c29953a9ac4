/**
 * What agents may read of the system's own database: every table and column that is not named here does not exist for them, so a new table
 * or column is hidden until somebody adds it. Never add what can hold a key, a password or a login.
 */
export type ReadableTable = {
  /** One row is … */
  about: string
  /** The ones a question usually needs, first. */
  main: readonly string[]
  /** Readable too; not told to agents beforehand. */
  more?: readonly string[]
}

const entry = (about: string): ReadableTable => ({
  about,
  main: ['name', 'version', 'description', 'enabled', 'author', 'updated_at', 'body'],
})

export const READABLE = {
  trees: {
    about: 'one goal',
    main: ['id', 'goal', 'turns', 'tokens', 'cost_micros', 'tasks', 'paused_reason', 'started_at', 'created_at'],
    more: [
      'mode',
      'workspace',
      'limits',
      'unpriced_calls',
      'reserved_turns',
      'reserved_tokens',
      'reserved_cost_micros',
      'paused_at',
      'submitted_by',
    ],
  },
  tasks: {
    about: 'one task; a root has parent_id null and id = tree_id',
    main: [
      'id',
      'tree_id',
      'parent_id',
      'kind',
      'agent',
      'title',
      'instruction',
      'status',
      'reason',
      'note',
      'result',
      'summary',
      'evidence',
      'verdict',
      'turns',
      'tokens',
      'cost_micros',
      'attempts',
      'faults',
      'created_at',
      'updated_at',
    ],
    more: [
      'criteria',
      'call_id',
      'instruction_hash',
      'origin',
      'priority',
      'depth',
      'after',
      'deadline_at',
      'wake_at',
      'stopped_by_person',
      'workspace',
      'grants',
      'closing',
      'rounds',
      'handover',
      'unpriced_calls',
      'messages',
      'model_calls',
      'children',
      'round',
      'nudges',
      'wish',
      'step',
      'lease_until',
      'taint',
      'model',
      'watch',
    ],
  },
  messages: { about: 'one message of a task; body is JSON', main: ['task_id', 'n', 'role', 'body', 'at'] },
  calls: {
    about: 'one tool call; state asked, begun or ended',
    main: ['id', 'task_id', 'n', 'tool', 'input', 'state', 'effect', 'attempts', 'waits', 'begun_at', 'ended_at', 'ok'],
    more: ['wait_ids', 'approved'],
  },
  model_calls: {
    about: 'one call of a model; cost_micros null: price unknown',
    main: ['task_id', 'n', 'tree_id', 'provider', 'model', 'input', 'output', 'tokens', 'cost_micros', 'latency_ms', 'outcome', 'at'],
    more: ['state', 'reserved_tokens', 'reserved_cost_micros', 'reasoning', 'cache_read', 'cache_write'],
  },
  reviews: {
    about: 'one item of the queue for people',
    main: ['id', 'kind', 'state', 'tree_id', 'task_id', 'title', 'action', 'risk', 'created_at', 'decided_at', 'decision', 'comment'],
    more: [
      'call_id',
      'action_hash',
      'decided_by',
      'signature',
      'reason',
      'taint',
      'offers',
      'edit',
      'snoozed_until',
      'expires_at',
      'escalated_at',
    ],
  },
  rules: {
    about: 'what people said may always happen, or never',
    main: ['id', 'verdict', 'scope', 'label', 'tree_id', 'agent', 'hits', 'created_at', 'expires_at', 'revoked_at'],
    more: ['signature', 'tainted', 'created_by', 'last_hit_at'],
  },
  events: { about: 'one fact, numbered; fact is JSON with a type', main: ['seq', 'at', 'tree_id', 'fact'] },
  agents: entry('one agent as it is now; body is JSON'),
  documents: entry('one document as it is now; body is JSON'),
  tools: entry('one tool as it is now; body is JSON'),
  versions: {
    about: 'one saved version of an agent, document or tool; kind says which',
    main: ['kind', 'name', 'version', 'author', 'at', 'body'],
  },
  web_searches: { about: 'one search of the web', main: ['id', 'engine', 'query', 'at', 'task_id', 'results', 'outcome'], more: ['hits'] },
  web_citations: { about: 'one page that a task read', main: ['task_id', 'id', 'url', 'title', 'fetched_at'] },
  prompts: { about: 'one system prompt, by its hash', main: ['hash', 'at', 'body'] },
} as const satisfies Record<string, ReadableTable>

/** Every readable column by table. */
export function readableColumns(): Map<string, readonly string[]> {
  return new Map(Object.entries(READABLE).map(([name, table]: [string, ReadableTable]) => [name, [...table.main, ...(table.more ?? [])]]))
}

/** One line a table, for descriptions. */
export function describeReadable(): string {
  return Object.entries(READABLE)
    .map(([name, { about, main }]) => `- ${name} (${main.join(', ')}): ${about}`)
    .join('\n')
}

/** A cell as JSON has it; whole numbers that JSON cannot hold and binary values are text. */
export type Cell = string | number | null
/** `truncated`: rows or characters were left out; `cut` says what, one sentence each. */
export type QueryResult = { columns: string[]; rows: Cell[][]; truncated: boolean; cut: string[]; ms: number }
