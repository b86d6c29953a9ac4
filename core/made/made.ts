/**
 * Tools that agents made. Their text is in the registry, where every version holds all of it, and what is known of a version is in a row of its
 * own; this makes drafts into versions, keeps the live set in step with the registry, runs the calls, and takes a version that fails again and
 * again out of use. What may be had without a person: a tool that changes nothing, in the goal in which it was made.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../contract/fault.ts'
import type { Draft, MadeState, MadeTool, MadeTrial } from '../contract/made-tool.ts'
import type { ToolEntry, Versioned } from '../contract/registry.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store, Tx } from '../store/store.ts'
import { answer, mistake, type Outcome, type Tool } from '../tool.ts'
import type { MadeRunner, Ran } from './run.ts'
import { checkerOf } from './schema.ts'
import { problemInDraft } from './source.ts'

/** Runs in a row with a fault of the tool's own, after which the version before it is back. */
export const MADE_FAILURES = 3
/** The name under which the system itself saves a version. */
const SYSTEM = 'system'

export type MadeEntry = Versioned<ToolEntry> & { made: MadeTool }
export type Ready = { entry: ToolEntry & { made: MadeTool }; sha: string; trial: MadeTrial; before: MadeEntry | null; asks: string | null }
/** `to`: null when nothing earlier could take its place, so that it was switched off. */
export type RolledBack = { name: string; from: number; to: number | null; why: string }
export type MadeTools = Awaited<ReturnType<typeof openMadeTools>>

export const isMade = (entry: Versioned<ToolEntry> | undefined): entry is MadeEntry => entry?.origin === 'made' && entry.made !== undefined
/** What an approval and a test stand for: change one letter and it is another. */
export const shaOf = ({ name, made }: { name: string; made: MadeTool }): string =>
  createHash('sha256')
    .update(JSON.stringify([name, made.permission, made.inputSchema, made.outputSchema ?? null, made.source, made.tests]))
    .digest('hex')

type Known = { entry: MadeEntry; sha: string; approved: boolean; check: (value: unknown) => string | null }

export async function openMadeTools(parts: {
  store: Store
  registry: Registry
  runner: MadeRunner
  /** The live set, which every consumer looks into on each use. */
  tools: Map<string, Tool>
  /** Why none can run here, as a sentence with the mend; null: they can. */
  why: string | null
  onError(error: unknown): void
}) {
  const { store, registry, runner, tools } = parts
  const known = new Map<string, Known>()
  const rowOf = (db: Store['db'], name: string, sha: string) =>
    db.selectFrom('made_tools').selectAll().where('name', '=', name).where('sha', '=', sha).executeTakeFirst()

  async function knownOf(entry: MadeEntry): Promise<Known> {
    const sha = shaOf(entry)
    return { entry, sha, approved: await isApproved(entry.name, sha), check: checkerOf(entry.made.inputSchema) }
  }
  const isApproved = async (name: string, sha: string): Promise<boolean> => (await rowOf(store.db, name, sha))?.approved_by != null
  /** The newest version, and whether a person approved it, as the rows say now. */
  async function refresh(name: string): Promise<Known | null> {
    const entry = await registry.get('tool', name)
    if (isMade(entry)) {
      const kept = known.get(name)
      const same = kept?.entry.version === entry.version
      const now = same ? { ...kept, approved: await isApproved(name, kept.sha) } : await knownOf(entry)
      known.set(name, now)
      tools.set(name, toolOf(name))
      return now
    }
    if (known.delete(name)) tools.delete(name)
    return null
  }
  function toolOf(name: string): Tool {
    const made = () => known.get(name)!.entry.made
    const writes = () => made().permission === 'write_workspace'
    return {
      name,
      get description() {
        return known.get(name)!.entry.description
      },
      get permission() {
        return writes() ? ('write' as const) : ('read' as const)
      },
      get inputSchema() {
        return made().inputSchema
      },
      get fixedEffect() {
        return writes() ? ('once' as const) : ('read' as const)
      },
      effect: () => (writes() ? 'once' : 'read'),
      permit: () => 'allow',
      facts: () => ({ external: false }),
      problemIn: (raw) => known.get(name)!.check(raw),
      call: (raw, _, { made: door }) => door.run(name, raw),
    }
  }

  for (const entry of await registry.list('tool')) if (isMade(entry)) known.set(entry.name, await knownOf(entry))
  for (const name of known.keys()) tools.set(name, toolOf(name))
  await runner.sweep()
  const forget = store.onFacts((events) => {
    for (const event of events)
      if (
        ((event.type === 'registry.saved' || event.type === 'registry.removed') && event.kind === 'tool') ||
        event.type === 'tool.approved'
      )
        void refresh(event.name).catch(parts.onError)
  })

  /** Why a person decides before this enters use; null: nobody needs to. */
  function asks(draft: Pick<Draft, 'name' | 'permission'>, treeId: string): string | null {
    const before = known.get(draft.name)
    if (draft.permission === 'write_workspace') return 'it changes files'
    if (before?.approved) return 'a person approved the version that it takes the place of'
    if (before && before.entry.made.treeId !== treeId) return 'a tool of this name was made in another goal'
    return null
  }
  function mustRun(): void {
    if (parts.why !== null)
      throw new Fault('unavailable', `Tools that agents make are off, because they need a sandbox to run in. ${parts.why}`)
  }
  /** Whether tasks of this goal may have it. */
  const mayHave = (name: string, treeId: string): boolean => {
    const found = known.get(name)
    return found === undefined || found.approved || found.entry.made.treeId === treeId
  }
  async function restore(name: string, from: MadeEntry, version: number, by: string): Promise<MadeEntry> {
    const found = await registry.version('tool', name, version)
    if (!isMade(found)) throw new Fault('conflict', `Version ${version} of ${name} is no tool that an agent made; choose another.`)
    const { version: _v, author: _a, updatedAt: _u, ...body } = found
    return (await registry.save('tool', { ...body, enabled: true }, by, from.version, { kind: 'restore', version })) as MadeEntry
  }
  /** The newest version before this one that is another, and was not taken out of use itself. */
  async function versionBefore(entry: MadeEntry): Promise<MadeEntry | null> {
    const sha = shaOf(entry)
    for (const one of await registry.versions('tool', entry.name)) {
      if (one.version >= entry.version || !isMade(one) || shaOf(one) === sha) continue
      if ((await rowOf(store.db, one.name, shaOf(one)))?.broken == null) return one
    }
    return null
  }
  async function mustFind(name: string): Promise<MadeEntry> {
    const entry = await registry.get('tool', name)
    if (!entry) throw new Fault('not_found', `There is no tool ${JSON.stringify(name)}.`)
    if (!isMade(entry)) throw new Fault('conflict', `No agent made the tool ${name}; it is changed in its file or by its server.`)
    return entry
  }

  return {
    asks,
    mayHave,
    /** Whether agents made it. */
    has: (name: string): boolean => known.has(name),

    /** Looks a draft over and runs its tests; a Fault says what is wrong. Saves nothing. */
    async prepare(draft: Draft, treeId: string, signal: AbortSignal): Promise<Ready> {
      mustRun()
      const others = [...new Set([...tools.keys(), ...(await registry.list('tool')).map((one) => one.name)])].filter(
        (name) => !known.has(name),
      )
      const problem = problemInDraft(draft, others)
      if (problem !== null) throw new Fault('invalid', problem)
      const before = await registry.get('tool', draft.name)
      const made: MadeTool = {
        inputSchema: draft.input_schema,
        ...(draft.output_schema === undefined ? {} : { outputSchema: draft.output_schema }),
        source: draft.source,
        tests: draft.tests,
        permission: draft.permission,
        treeId: isMade(before) && known.get(draft.name)?.approved ? before.made.treeId : treeId,
      }
      const entry = { name: draft.name, description: draft.description, core: false, enabled: true, origin: 'made' as const, made }
      const sha = shaOf(entry)
      const trial = await runner.test({ sha, ...made }, signal)
      if (trial.failed > 0)
        throw new Fault(
          'unprocessable',
          `${draft.name} was not made, because its tests did not pass (${trial.passed} passed).\n${trial.report}\nMend source or tests and call create_tool again.`,
        )
      return { entry, sha, trial, before: isMade(before) ? before : null, asks: asks(draft, treeId) }
    },

    /** Saves a version that was prepared; part of the commit that answers the call. */
    async save(tx: Tx, ready: Ready, at: { by: string; treeId: string; taskId: string; approvedBy: string | null }): Promise<number> {
      const { entry, sha, trial } = ready
      const approved = at.approvedBy === null ? {} : { approved_by: at.approvedBy, approved_at: tx.now }
      const tested = { passed: trial.passed, failed: trial.failed, report: trial.report, test_ms: trial.ms, tested_at: tx.now }
      await tx.db
        .insertInto('made_tools')
        .values({
          ...{ name: entry.name, sha, tree_id: at.treeId, task_id: at.taskId, ...tested, failures: 0, runs: 0 },
          ...{ broken: null, approved_by: null, approved_at: null, ...approved },
        })
        .onConflict((c) => c.columns(['name', 'sha']).doUpdateSet({ ...tested, ...approved, failures: 0, broken: null }))
        .execute()
      const version = await registry.saveIn(tx, 'tool', entry, at.by, { kind: 'task', taskId: at.taskId })
      if (at.approvedBy !== null) tx.record(null, { type: 'tool.approved', name: entry.name, version, by: at.approvedBy })
      return version
    },
    /** Brings the live set up to date; the next look into it finds the newest version. */
    refresh,

    /**
     * Runs the newest version once and tells it. `within` opens the folder of the task when the version may have it. `tried`: a person tries it
     * out, whatever goal it is of. `rolledBack`: this run was one fault too many.
     */
    async run(
      name: string,
      input: unknown,
      call: { id: string; treeId: string; taskId: string; signal: AbortSignal; tried: boolean },
      within: <T>(permission: MadeTool['permission'], act: (workspace: string | null) => Promise<T>) => Promise<T>,
    ): Promise<{ outcome: Outcome; rolledBack: RolledBack | null }> {
      mustRun()
      const seen = known.get(name)
      const now = await refresh(name)
      const said = (outcome: Outcome) => ({ outcome, rolledBack: null })
      if (!now?.entry.enabled) return said(mistake(`The tool ${name} was removed or switched off; go on without it.`))
      const { entry, sha } = now
      if (seen && seen.entry.made.permission !== entry.made.permission)
        return said(
          mistake(`The tool ${name} was changed a moment ago and may touch other things now; look at its description and call it again.`),
        )
      if (!call.tried && !mayHave(name, call.treeId))
        return said(
          mistake(`The tool ${name} was made in another goal and no person has approved it for others; ask for a tool with request_tools.`),
        )
      const problem = now.check(input)
      if (problem !== null) return said(mistake(`The arguments of ${name} are not right: ${problem}.`))
      const began = performance.now()
      const ran = await within(entry.made.permission, (workspace) => runner.call({ sha, ...entry.made }, input, workspace, call.signal))
      const { outcome, fault } = answerOf(entry, ran)
      const rolledBack = await settle({ entry, sha, fault, ms: Math.round(performance.now() - began) }, call)
      return { outcome, rolledBack }
    },

    /** Every version with what is known of it, newest first. */
    async states(name: string): Promise<MadeState[]> {
      const [versions, rows] = await Promise.all([
        registry.versions('tool', name),
        store.db.selectFrom('made_tools').selectAll().where('name', '=', name).execute(),
      ])
      return versions.filter(isMade).flatMap((entry) => {
        const sha = shaOf(entry)
        const row = rows.find((one) => one.sha === sha)
        if (!row) return []
        return {
          version: entry.version,
          sha,
          trial: { passed: Number(row.passed), failed: Number(row.failed), ms: Number(row.test_ms), report: row.report },
          testedAt: new Date(Number(row.tested_at)).toISOString(),
          approvedBy: row.approved_by,
          approvedAt: row.approved_at === null ? null : new Date(Number(row.approved_at)).toISOString(),
          failures: Number(row.failures),
          runs: Number(row.runs),
          broken: row.broken,
        }
      })
    },

    /** Lets every agent have the newest version. `version`: what the person looked at; a Fault when another is the newest by now. */
    async approve(name: string, version: number | undefined, by: string): Promise<MadeEntry> {
      const entry = await mustFind(name)
      if (version !== undefined && version !== entry.version)
        throw new Fault('stale', `Version ${entry.version} of ${name} is the newest, not ${version}; look at it and approve that.`)
      const sha = shaOf(entry)
      await store.transact(
        async (tx) => {
          const done = await tx.db
            .updateTable('made_tools')
            .set({ approved_by: by, approved_at: tx.now })
            .where('name', '=', name)
            .where('sha', '=', sha)
            .returning('sha')
            .executeTakeFirst()
          if (!done)
            throw new Fault('conflict', `Nothing is known of the tests of version ${entry.version} of ${name}; have an agent make it anew.`)
          tx.record(null, { type: 'tool.approved', name, version: entry.version, by })
        },
        { durable: true },
      )
      await refresh(name)
      return entry
    },

    /** Saves an earlier version as the newest; the next call runs it. `to` left out: the one before that did not fail. */
    async rollback(name: string, to: number | undefined, by: string): Promise<MadeEntry> {
      const entry = await mustFind(name)
      const target = to ?? (await versionBefore(entry))?.version
      if (target === undefined)
        throw new Fault('conflict', `There is no earlier version of ${name} to go back to; disable the tool instead.`)
      const saved = await restore(name, entry, target, by)
      if (saved.version === entry.version) throw new Fault('conflict', `Version ${target} of ${name} is what is in use now.`)
      await store.transact(async (tx) =>
        tx.record(null, {
          type: 'tool.rolledback',
          name,
          from: entry.version,
          to: saved.version,
          why: `${by} went back to version ${target}`,
          by,
        }),
      )
      await refresh(name)
      return saved
    },

    close: forget,
  }

  /** Writes down that it ran; after too many faults in a row the version before takes its place. */
  async function settle(
    ran: { entry: MadeEntry; sha: string; fault: string | null; ms: number },
    call: { id: string; treeId: string; taskId: string },
  ): Promise<RolledBack | null> {
    const { entry, sha, fault, ms } = ran
    const { name, version } = entry
    const failures = await store.transact(async (tx) => {
      tx.record(call.treeId, { type: 'tool.ran', taskId: call.taskId, callId: call.id, tool: name, version, ms, fault })
      const row = await tx.db
        .updateTable('made_tools')
        .set((e) => ({ runs: e('runs', '+', 1), failures: fault === null ? 0 : e('failures', '+', 1) }))
        .where('name', '=', name)
        .where('sha', '=', sha)
        .returning('failures')
        .executeTakeFirst()
      const count = Number(row?.failures ?? 0)
      if (count >= MADE_FAILURES)
        await tx.db.updateTable('made_tools').set({ broken: fault }).where('name', '=', name).where('sha', '=', sha).execute()
      return count
    })
    if (failures < MADE_FAILURES || fault === null) return null
    const before = await versionBefore(entry)
    const why = `it failed ${failures} times in a row, at last so: ${fault.split('\n')[0]}`
    try {
      const { version: _v, author: _a, updatedAt: _u, ...body } = entry
      const saved = before
        ? await restore(name, entry, before.version, SYSTEM)
        : await registry.save('tool', { ...body, enabled: false }, SYSTEM, version)
      await refresh(name)
      const to = before ? saved.version : null
      await store.transact(async (tx) => tx.record(null, { type: 'tool.rolledback', name, from: version, to, why, by: SYSTEM }))
      return { name, from: version, to, why }
    } catch (error) {
      if (error instanceof Fault && error.code === 'stale') return null // another version has taken its place already
      throw error
    }
  }
}

/** What the agent reads of a run, and what was wrong with the tool itself. */
function answerOf(entry: MadeEntry, ran: Ran): { outcome: Outcome; fault: string | null } {
  const { name, made } = entry
  const broken = (why: string) => ({
    outcome: mistake(`The tool ${name} failed, which is its own fault and not that of the arguments. ${why}`),
    fault: why,
  })
  switch (ran.kind) {
    case 'stopped':
      return { outcome: mistake(`The tool ${name} was stopped before it answered.`), fault: null }
    case 'broken':
      return broken(ran.why)
    case 'threw':
      return ran.bug ? broken(ran.words) : { outcome: mistake(`${name}: ${ran.words || 'it refused, and did not say why.'}`), fault: null }
    case 'result': {
      const problem = made.outputSchema === undefined ? null : checkerOf(made.outputSchema)(ran.value)
      if (problem !== null) return broken(`Its result does not fit its output schema: ${problem}.`)
      return { outcome: answer(typeof ran.value === 'string' ? ran.value : JSON.stringify(ran.value)), fault: null }
    }
  }
}
