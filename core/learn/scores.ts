/**
 * How versions of agents, documents and tools did, and models: read from the rows of tasks and calls each time, so nothing can drift. The
 * newest of each name within a window are read, never the whole history.
 */
import { sql } from 'kysely'
import type { Score, Scores } from '../contract/api-scores.ts'
import type { CheckedEvidence, Verdict } from '../contract/task.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import { answersOf } from './answers-of.ts'
import { figuresOf, type Outcome } from './figures.ts'

/** `most`: tasks or calls of one name that are read, the newest. */
export type ScoreAsk = {
  days: number
  agent?: string | undefined
  document?: string | undefined
  tool?: string | undefined
  model?: string | undefined
}

/** Of one that was asked for by name. 10,000 tasks take about 0.3 s on one core. */
const MOST = 10_000
/** Of each where all are asked for. */
const MOST_EACH = 1_000
/** Failures whose words are read. */
const WORDS = 200
/** Goals whose facts are read for what providers said. */
const TREES = 50
const DAY_MS = 86_400_000
const WORDS_MOST = 2_000

/** A `Fault` is never thrown: what is not known has no items. */
export async function scoresOf(parts: { store: Store; registry: Registry; now(): number }, ask: ScoreAsk): Promise<Scores> {
  const { registry } = parts
  const since = parts.now() - ask.days * DAY_MS
  const named = ask.agent ?? ask.document ?? ask.tool ?? ask.model
  const most = named === undefined ? MOST_EACH : MOST
  const window = { store: parts.store, registry, since, most, words: named !== undefined }
  const items: Score[] = []
  if (named === undefined) {
    for (const { name } of await registry.list('agent')) items.push(...(await ofAgent(window, name)))
    for (const { name } of await registry.list('tool')) items.push(...(await ofTool(window, name)))
    items.push(...(await ofModels(window, undefined)))
  } else {
    if (ask.agent !== undefined) items.push(...(await ofAgent(window, ask.agent)))
    if (ask.document !== undefined) items.push(...(await ofDocument(window, ask.document)))
    if (ask.tool !== undefined) items.push(...(await ofTool(window, ask.tool)))
    if (ask.model !== undefined) items.push(...(await ofModels(window, ask.model)))
  }
  const of = (['agent', 'document', 'tool'] as const).find((kind) => ask[kind] !== undefined)
  const versions = of === undefined ? [] : await registry.lineage(of, ask[of]!)
  return { days: ask.days, since: new Date(since).toISOString(), most, items, versions }
}

type Window = { store: Store; registry: Registry; since: number; most: number; words: boolean }
type TaskRow = {
  id: string
  kind: string
  status: string
  verdict: string | null
  note: string | null
  result: string | null
  evidence: string | null
  cost_micros: number
  unpriced_calls: number
  tokens: number
  created_at: number
  prompt: string | null
  thought: number | null
  worked: number | null
}
type Prompt = { agentVersion: number; documents: { name: string; version: number }[] }

/** Tasks of an agent that ended by themselves, newest first. What was cancelled says nothing of it. */
async function tasksOf({ store, since, most }: Window, agent: string): Promise<TaskRow[]> {
  const { rows } = await sql<TaskRow>`
    select t.id, t.kind, t.status, t.verdict, t.note, t.result, t.evidence, t.cost_micros, t.unpriced_calls, t.tokens, t.created_at,
      (select m.body from messages m where m.task_id = t.id and m.role = 'system' order by m.n desc limit 1) as prompt,
      (select sum(c.latency_ms) from model_calls c where c.task_id = t.id) as thought,
      (select sum(k.ended_at - k.begun_at) from calls k where k.task_id = t.id and k.waits is null and k.begun_at is not null and k.ended_at is not null) as worked
    from (
      select id, kind, status, verdict, note, case when status = 'done' then null else substr(result, 1, ${sql.lit(WORDS_MOST)}) end as result,
        case when status = 'done' then null else evidence end as evidence, cost_micros, unpriced_calls, tokens, created_at
      from tasks where agent = ${agent} and created_at >= ${since} and status in ('done', 'failed', 'dead')
      order by created_at desc limit ${sql.lit(most)}
    ) t order by t.created_at desc`.execute(store.db)
  return rows
}

function outcomeOf(row: TaskRow): Outcome {
  // What an evaluator found is about another task.
  const verdict = row.kind === 'evaluate' || row.verdict === null ? null : (JSON.parse(row.verdict) as Verdict)
  const ok = row.status === 'done'
  return {
    taskId: row.id,
    ok,
    score: verdict?.score ?? null,
    costMicros: Number(row.cost_micros),
    unpricedCalls: Number(row.unpriced_calls),
    tokens: Number(row.tokens),
    ms: Number(row.thought ?? 0) + Number(row.worked ?? 0),
    error: ok ? null : whyOf(row, verdict),
  }
}

/** What its judge said; without one, what was not as it claimed, what stopped it, or what it said itself. */
function whyOf(row: Pick<TaskRow, 'evidence' | 'note' | 'result'>, verdict: Verdict | null): string | null {
  if (verdict?.passed === false && verdict.by !== 'rule') return verdict.reasons
  const missing = (JSON.parse(row.evidence ?? '[]') as CheckedEvidence[]).find((one) => !one.ok)
  return missing?.problem ?? row.note ?? row.result
}

async function ofAgent(window: Window, name: string): Promise<Score[]> {
  const rows = await tasksOf(window, name)
  if (rows.length === 0) return []
  const current = (await window.registry.get('agent', name))?.version ?? null
  const byTime = await versionByTime(window.store, 'agent', name)
  return byVersion(rows, (row) => {
    const version = row.prompt === null ? byTime(Number(row.created_at)) : (JSON.parse(row.prompt) as Prompt).agentVersion
    return version === 0 ? null : version // a draft in a test run
  }).map(([version, some]) => scoreOf({ kind: 'agent', name, version, current: version === current }, some.map(outcomeOf), window.words))
}

/** By the tasks in whose prompts it was. */
async function ofDocument(window: Window, name: string): Promise<Score[]> {
  const each = { ...window, most: MOST_EACH }
  const rows: TaskRow[] = []
  for (const agent of await window.registry.list('agent')) rows.push(...(await tasksOf(each, agent.name)))
  rows.sort((a, b) => Number(b.created_at) - Number(a.created_at))
  const current = (await window.registry.get('document', name))?.version ?? null
  return byVersion(rows, (row) =>
    row.prompt === null ? null : ((JSON.parse(row.prompt) as Prompt).documents.find((one) => one.name === name)?.version ?? null),
  ).map(([version, some]) => scoreOf({ kind: 'document', name, version, current: version === current }, some.map(outcomeOf), window.words))
}

async function ofTool(window: Window, name: string): Promise<Score[]> {
  const { store, since, most } = window
  const calls = await store.db
    .selectFrom('calls')
    .select(['id', 'task_id', 'begun_at', 'ended_at', 'ok', 'waits'])
    .where('tool', '=', name)
    .where('ended_at', 'is not', null)
    .where('ended_at', '>=', since)
    .orderBy('ended_at', 'desc')
    .limit(most)
    .execute()
  if (calls.length === 0) return []
  const failed = window.words ? calls.filter((call) => Number(call.ok) === 0).slice(0, WORDS) : []
  const said = await answersOf(store, [...new Set(failed.map((call) => call.task_id))])
  const current = (await window.registry.get('tool', name))?.version ?? null
  const byTime = await versionByTime(store, 'tool', name)
  return byVersion(calls, (call) => byTime(Number(call.begun_at ?? call.ended_at))).map(([version, some]) =>
    scoreOf(
      { kind: 'tool', name, version, current: version === current },
      some.map((call) => ({
        ...{ taskId: call.task_id, ok: Number(call.ok) === 1, score: null, costMicros: 0, unpricedCalls: 0, tokens: 0 },
        ms: call.begun_at === null || call.waits !== null ? null : Number(call.ended_at) - Number(call.begun_at),
        error: Number(call.ok) === 1 ? null : (said.get(call.id) ?? null),
      })),
      window.words,
    ),
  )
}

async function ofModels(window: Window, model: string | undefined): Promise<Score[]> {
  const { store, since } = window
  const { rows } = await sql<Record<string, string | number | null>>`
    select c.provider, c.model, c.task_id, c.tree_id, c.outcome, c.cost_micros, c.tokens, c.latency_ms, t.kind, t.status, t.verdict
    from (
      select provider, model, task_id, tree_id, outcome, cost_micros, tokens, latency_ms, at from model_calls
      where at >= ${since} and state = 'settled' ${model === undefined ? sql`` : sql`and (model = ${model} or provider || '/' || model = ${model})`}
      order by at desc limit ${sql.lit(MOST)}
    ) c join tasks t on t.id = c.task_id order by c.at desc`.execute(store.db)
  const faults = window.words ? await faultsOf(store, rows) : new Map<string, string>()
  return [...Map.groupBy(rows, (row) => `${row['provider']}/${row['model']}`)].map(([name, some]) => {
    const tasks = [...new Map(some.map((row) => [row['task_id'], row])).values()]
    const over = tasks.filter((row) => ['done', 'failed', 'dead'].includes(String(row['status'])))
    const scores = over.flatMap((row) => {
      const verdict = row['kind'] === 'evaluate' || row['verdict'] === null ? null : (JSON.parse(String(row['verdict'])) as Verdict)
      return verdict?.score === undefined ? [] : [verdict.score]
    })
    const outcomes = some.map((row): Outcome => {
      const ok = row['outcome'] === 'ok'
      return {
        taskId: String(row['task_id']),
        ok,
        score: null,
        costMicros: Number(row['cost_micros'] ?? 0),
        unpricedCalls: row['cost_micros'] === null ? 1 : 0,
        tokens: Number(row['tokens']),
        ms: ok ? Number(row['latency_ms']) : null,
        error: ok ? null : row['outcome'] === 'lost' ? LOST : (faults.get(`${row['task_id']}\n${row['model']}`) ?? null),
      }
    })
    return {
      ...scoreOf({ kind: 'model', name, version: null, current: true }, outcomes, window.words),
      score: scores.length === 0 ? null : scores.reduce((sum, one) => sum + one, 0) / scores.length,
      scored: scores.length,
      tasks: { ended: over.length, done: over.filter((row) => row['status'] === 'done').length },
    }
  })
}
const LOST = 'The process ended while the call was under way.'

/** The newest word of a provider on each task and model that met a fault. */
async function faultsOf(store: Store, rows: readonly Record<string, string | number | null>[]): Promise<Map<string, string>> {
  const trees = [...new Set(rows.filter((row) => row['outcome'] === 'fault').map((row) => String(row['tree_id'])))].slice(0, TREES)
  if (trees.length === 0) return new Map()
  const facts = await store.db
    .selectFrom('events')
    .select('fact')
    .where('tree_id', 'in', trees)
    .where('fact', 'like', '{"type":"model.fault"%')
    .orderBy('seq', 'desc')
    .limit(1_000)
    .execute()
  const said = new Map<string, string>()
  for (const row of facts) {
    const fact = JSON.parse(row.fact) as { taskId: string; model: string; kind: string; message: string }
    const key = `${fact.taskId}\n${fact.model}`
    if (!said.has(key)) said.set(key, `${fact.kind}: ${fact.message}`)
  }
  return said
}

function scoreOf(who: Pick<Score, 'kind' | 'name' | 'version' | 'current'>, outcomes: readonly Outcome[], words: boolean): Score {
  const figures = figuresOf(outcomes)
  return { ...who, ...figures, tasks: null, errors: words ? figures.errors : [] }
}

/** Newest version first. */
function byVersion<R>(rows: readonly R[], versionOf: (row: R) => number | null): [number, R[]][] {
  const known = rows.flatMap((row) => {
    const version = versionOf(row)
    return version === null ? [] : [{ row, version }]
  })
  return [...Map.groupBy(known, ({ version }) => version)]
    .map(([version, some]): [number, R[]] => [version, some.map(({ row }) => row)])
    .sort(([a], [b]) => b - a)
}

/** Which version was the newest at a moment. */
async function versionByTime(store: Store, kind: 'agent' | 'tool', name: string): Promise<(at: number) => number | null> {
  const versions = await store.db
    .selectFrom('versions')
    .select(['version', 'at'])
    .where('kind', '=', kind)
    .where('name', '=', name)
    .orderBy('version', 'desc')
    .execute()
  return (at) => versions.find((one) => Number(one.at) <= at)?.version ?? versions.at(-1)?.version ?? null
}
