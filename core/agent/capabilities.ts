/** What a tool may do on behalf of one call: the store's verbs, bound to the lease, the task and its workspace. */
import { realpath } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { readCommand } from '../contract/answers.ts'
import type { Fact } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { commandOf } from '../contract/goal-text.ts'
import type { Habits } from '../contract/learning.ts'
import type { MadePermission } from '../contract/made-tool.ts'
import { leavesOf, plainPlan, planChildren, problemOf } from '../contract/plan.ts'
import type { Document, RegistryKind, Versioned } from '../contract/registry.ts'
import { type CheckedEvidence, isOver, type TaskKind, withCriteria } from '../contract/task.ts'
import { MOST_WRITTEN } from '../contract/writable.ts'
import { checkEvidence } from '../exec/evidence.ts'
import type { CommandResult, Exec } from '../exec/exec.ts'
import { type WorkspaceFiles, workspaceFiles } from '../exec/files.ts'
import type { History } from '../exec/history/shapes.ts'
import type { Jobs } from '../exec/jobs.ts'
import type { Repositories, TaskGit } from '../git/shapes.ts'
import type { MadeTools } from '../made/made.ts'
import { hostRefusal } from '../policy/policy.ts'
import type { Registry } from '../registry/registry.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Changes } from '../self/change.ts'
import type { Query } from '../store/query.ts'
import { planWrite, rowsOf, type WritePlan, type WrittenRow } from '../store/write-plan.ts'
import { changeDatabase, counted, fingerprintOf } from '../tasks/change-database.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Lease } from '../tasks/turns.ts'
import type { Capabilities } from '../tool.ts'
import type { Web } from '../web/web.ts'
import { planClosing } from './closing-plan.ts'
import { CORE } from './definition.ts'
import { type DeskParts, frontDesk } from './front-desk.ts'
import { verdictProblem, withWords } from './judged.ts'
import { selfCapability } from './self-capability.ts'
import { supervision } from './supervision.ts'
import type { Workspaces } from './workspaces.ts'

/** The system's own agents, by what they are called for. A person may point these to agents of their own. */
export type Helpers = Record<Exclude<TaskKind, 'work'>, string>
export const HELPERS: Helpers = {
  breakdown: 'task_breakdown',
  context: 'context_addition',
  tools: 'tool_addition',
  evaluate: 'task_evaluator',
  summarize: 'summary_agent',
  document: 'documentation_agent',
  supervise: 'supervisor',
}

/** Thrown through a tool when the tree was paused at a cap: the call stays unanswered and runs when the tree goes on. */
export class Held extends Error {}

export type CapabilityParts = {
  tasks: Tasks
  registry: Registry
  exec: Exec
  web: Pick<Web, 'search' | 'fetch' | 'shown'>
  query: Pick<Query, 'query'>
  secrets: Pick<Secrets, 'refusal' | 'valuesFor' | 'redact' | 'redactAll'>
  helpers: Helpers
  workspaces: Pick<Workspaces, 'of' | 'path'>
  /** Begins a goal as a person does over HTTP. */
  submitGoal: DeskParts['submitGoal']
  /** What is kept of files, so that changes can be undone. */
  history: Pick<History, 'writing' | 'taking' | 'around' | 'beside' | 'settle' | 'underWay'>
  changes: Changes
  jobs: Pick<Jobs, 'start' | 'live' | 'poll' | 'write' | 'stop' | 'of'>
  repositories: Pick<Repositories, 'forTask'>
  made: Pick<MadeTools, 'asks' | 'mayHave' | 'prepare' | 'save' | 'refresh' | 'run'>
  protectedPaths: readonly string[]
  /** Writes down what an effect outside the database did. */
  record(treeId: string, fact: Fact): Promise<void>
  defaultTimeoutSeconds: number
  now(): number
  /** Named points at which a crash test kills the process. */
  failPoint?: (name: string) => void
}
/** Files that a call has opened and folders that its commands saw, relative to the tree's folder; what they hold, the task has read. */
export type TouchedByCall = { files: Set<string>; folders: Set<string> }
export type CallContext = {
  lease: Lease
  callId: string
  signal: AbortSignal
  judges: boolean
  touched: TouchedByCall
  /** Of the tool that is called. */
  habits: Habits | null
}

/** What one answer of the database may hold, and how long it may take. */
const QUERY_BYTES = 50_000
const QUERY_MS = 1_500

/** What all rows that a statement would change may hold. */
const WRITTEN_BYTES = 2_000_000
/** Rows that a person is shown before they decide. */
const SAMPLE = 5
type Shown = { sql: string; rows: number; fingerprint: string }
function previewOf(sql: string, plan: WritePlan, rows: readonly WrittenRow[]): Shown & Record<string, unknown> {
  const sample = rows.slice(0, SAMPLE).map(({ key, before, after }) => ({
    row: key.join(' '),
    ...Object.fromEntries(plan.columns.map((column, i) => [column, { from: before[i], to: after[i] }])),
  }))
  const { verb, table, columns } = plan
  return { tool: 'query_database', sql, verb, table, columns, rows: rows.length, sample, fingerprint: fingerprintOf(rows) }
}

const WORDS: Record<'breakdown' | 'context' | 'tools', string> = {
  breakdown: 'Plan how to split the task below. Do not solve it.',
  context: 'Find the context documents that the task below needs. Do not solve it.',
  tools: 'Find the tools that the task below needs, or make what is missing. Do not solve it.',
}

export function capabilitiesFor(parts: CapabilityParts, { lease, callId, signal, judges, touched, habits }: CallContext): Capabilities {
  const { tasks, registry, exec } = parts
  const { turns } = tasks
  const task = lease.task
  const moment = { treeId: task.treeId, taskId: task.id, callId }
  const files = inWorkspace()
  const typed = task.origin === 'person' ? commandOf(task.instruction) : null

  async function spawn(...args: Parameters<typeof turns.spawn>): Promise<{ ids: string[] }> {
    const made = await turns.spawn(...args)
    if (made.kind === 'paused') throw new Held()
    if (made.kind === 'refused') throw new Fault('conflict', made.why)
    return { ids: made.ids }
  }
  async function mustExist(name: string): Promise<void> {
    const agent = await registry.get('agent', name)
    if (agent?.enabled) return
    const names = (await registry.list('agent')).filter((a) => a.enabled && !a.watcher).map((a) => a.name)
    throw new Fault('invalid', `There is no agent "${name}"${agent ? ' in use (it is switched off)' : ''}. Agents: ${names.join(', ')}.`)
  }

  return {
    subtasks: {
      async start(specs, how) {
        for (const name of new Set(specs.map((spec) => spec.agent))) await mustExist(name)
        const granted = new Set(lease.grants.tools)
        const foreign = specs.flatMap((spec) => spec.tools ?? []).find((name) => !granted.has(name))
        if (foreign !== undefined)
          throw new Fault(
            'invalid',
            `${JSON.stringify(foreign)} was not granted to your task, so you cannot hand it on${granted.size > 0 ? ` (granted: ${[...granted].join(', ')})` : ''}. Leave it out: an agent has the tools of its own settings, and asks for others with request_tools.`,
          )
        const children = specs.map((spec) => ({
          instruction: spec.instruction,
          agent: spec.agent,
          title: spec.title,
          priority: spec.priority,
          workspace: spec.workspace,
          ...(spec.after === undefined ? {} : { after: spec.after.map(String) }),
          deadlineAt: spec.deadlineSeconds === undefined ? null : parts.now() + spec.deadlineSeconds * 1_000,
          ...(spec.tools === undefined ? {} : { tools: spec.tools }),
          criteria: spec.criteria,
        }))
        return spawn(lease, callId, children, how)
      },
      async help(kind, request) {
        const name = parts.helpers[kind]
        await mustExist(name)
        const instruction = `${WORDS[kind]}\n\n# The task\n${withCriteria(task.instruction, task.criteria)}\n\n# What its agent (${task.agent}) asks for\n${request}`
        const title = { breakdown: 'Plan the parts', context: 'Find context', tools: 'Find tools' }[kind]
        await spawn(lease, callId, [{ kind, agent: name, instruction, title }], { wait: true, helper: true })
      },
      async await(ids) {
        const own = (await tasks.children(task.id)).filter((child) => child.kind === 'work')
        const unknown = ids?.find((id) => !own.some((child) => child.id === id))
        if (unknown !== undefined)
          throw new Fault('not_found', `${unknown} is not a subtask of yours. Yours: ${own.map((c) => c.id).join(', ') || 'none'}.`)
        const meant = ids === undefined ? own : own.filter((child) => ids.includes(child.id))
        const waiting = meant.filter((child) => !isOver(child.status))
        if (waiting.length > 0)
          await turns.awaitTasks(
            lease,
            callId,
            meant.map((child) => child.id),
          )
        return {
          waiting: waiting.map((child) => child.id),
          over: meant
            .filter((child) => isOver(child.status))
            .map((c) => ({ id: c.id, title: c.title, status: c.status, summary: c.summary ?? c.result ?? '' })),
        }
      },
    },

    plans: {
      async propose(items) {
        const given = lease.plan?.items
        if (given && JSON.stringify(plainPlan(given)) === JSON.stringify(plainPlan(items))) {
          await spawn(
            lease,
            callId,
            planChildren(given, () => false),
            { wait: true },
          )
          return
        }
        const { limits } = await tasks.tree(task.treeId)
        const problem = problemOf(items, { ...limits, depth: limits.depth - task.depth })
        if (problem !== null) throw new Fault('invalid', problem)
        for (const name of new Set(leavesOf(items).flatMap((one) => one.agent ?? []))) await mustExist(name)
        const action = parts.secrets.redactAll({ items: plainPlan(items) })
        const count = leavesOf(items).length
        const title = `A plan of ${count === 1 ? 'one part' : `${count} parts`} for "${task.title}"`
        await turns.askPerson(lease, callId, { kind: 'plan', title: parts.secrets.redact(title), action, risk: 'low' })
      },
    },

    ending: {
      async end(end) {
        const evidence = await checked(end.evidence)
        const bad = evidence.filter((e) => !e.ok)
        if (end.status === 'success' && bad.length > 0)
          return { ok: false, problem: `Not ended: ${bad.map((e) => e.problem).join(' ')} List only what is there, or end with failure.` }
        if (task.kind === 'evaluate' && end.status === 'success' && !end.verdict)
          return { ok: false, problem: 'Not ended: your task is to judge, so end_task needs `verdict`: {passed, score, reasons}.' }
        const criteria = end.verdict && task.kind === 'evaluate' ? await criteriaOfJudged() : []
        const wrong = end.verdict ? verdictProblem(end.verdict, criteria) : null
        if (wrong !== null) return { ok: false, problem: `Not ended: ${wrong}` }
        await mustBeThere('document', end.documents)
        await mustBeThere('tool', end.tools)
        const claim = {
          status: end.status,
          result: end.result,
          evidence,
          ...(end.verdict ? { verdict: withWords(end.verdict, criteria) } : {}),
          ...(end.documents ? { documents: end.documents } : {}),
          ...(end.tools ? { tools: end.tools } : {}),
        }
        const about = { task, claim, now: parts.now() }
        // An answer to a person is judged by that person.
        if (!judges || lease.goal.ask) return tasks.end(lease, callId, claim, planClosing({ ...about, judged: null }))
        const [self, children] = await Promise.all([tasks.task(task.id), tasks.children(task.id)])
        const plan = planClosing({
          ...about,
          judged: {
            turns: self.spend.turns,
            children: children.filter((c) => c.kind === 'work').length,
            isGoal: await tasks.isGoal(task.id),
            spent: await tasks.watching(task.treeId),
            said: await tasks.said(task.id),
            earlier: self.verdict,
            watchers: { evaluate: await watcher('evaluate'), summarize: await watcher('summarize'), document: await watcher('document') },
          },
        })
        parts.failPoint?.('closing.before-end')
        const ended = await tasks.end(lease, callId, claim, plan)
        parts.failPoint?.('closing.after-end')
        return ended
      },
    },

    reviews: {
      async open({ wait, ...item }) {
        const shown = { ...item, title: parts.secrets.redact(item.title), action: parts.secrets.redactAll(item.action) }
        return { id: await (wait ? turns.askPerson(lease, callId, shown) : turns.tellPerson(lease, callId, shown)) }
      },
    },

    registry: {
      list: async (kind) => (await registry.list(kind)).filter((entry) => maySee(kind, entry.name)),
      get: async (kind, name) => (maySee(kind, name) ? registry.get(kind, name) : undefined),
      isAgents: ({ author }) => registry.isAgent(author),
      async saveDocument(document) {
        const before = await registry.get('document', document.name)
        if (before && !(await mayReplace(before, document))) return null
        const saved = await registry.save('document', document, task.agent, undefined, { kind: 'task', taskId: task.id })
        return { version: saved.version, created: before === undefined }
      },
    },

    files,
    git: repositories(),
    self: selfCapability({ changes: parts.changes, tasks, git: repositories, lease, callId, signal, keep: (act) => kept(act) }),
    secrets: {
      refusal: (name) => parts.secrets.refusal(task, name),
      values: (names) => parts.secrets.valuesFor(task, names),
    },
    database: {
      query: (sql, { rows }) => parts.query.query(sql, { maxRows: rows, maxBytes: QUERY_BYTES, timeoutMs: QUERY_MS }, signal),
      async preview(sql) {
        onlyIfItMayWrite()
        const { plan, rows } = await written(sql)
        return previewOf(sql, plan, rows)
      },
      async change(sql) {
        onlyIfItMayWrite()
        const approval = await tasks.approval(callId)
        if (approval === null) throw new Fault('forbidden', 'Not done: nobody approved this change of the database.')
        const { plan, rows } = await written(sql)
        const shown = approval.action as Shown | null
        if (!approval.edited && shown?.sql !== parts.secrets.redact(sql))
          throw new Fault('forbidden', 'Not done: a person approved another statement than this one.')
        const approved = { by: approval.by, shown: approval.edited || !shown ? null : { fingerprint: shown.fingerprint, rows: shown.rows } }
        const told = { plan, rows, sql: parts.secrets.redact(sql) }
        await turns.act(lease, callId, async (tx) => {
          const count = await changeDatabase(tx, { id: callId, taskId: task.id, treeId: task.treeId }, told, approved)
          return `Done: ${counted(count)} of ${plan.table} ${plan.verb === 'update' ? 'changed' : 'deleted'}.`
        })
      },
    },
    web: {
      search: (query, limit) => parts.web.search(query, { limit }, { taskId: task.id }, signal),
      fetch: (url) => parts.web.fetch(url, { who: { taskId: task.id }, through: mayGoThrough }, signal),
    },
    exec: {
      isolation: exec.isolation,
      habits,
      async run(command) {
        const workspace = await parts.workspaces.of(task)
        const whole = { ...command, workspace, cwd: command.cwd ?? workspace }
        touched.folders.add(task.workspace)
        if (whole.readOnly) return exec.run(whole, signal) // nothing changes that history could tell of
        const result = await parts.history.around(moment, workspace, () => exec.run(whole, signal))
        if (result.network) await parts.record(task.treeId, { type: 'network.used', taskId: task.id, callId, use: result.network })
        return result
      },
    },
    jobs: {
      async start(command) {
        const workspace = await parts.workspaces.of(task)
        const around = async (act: () => Promise<CommandResult>) => {
          const result = await parts.history.beside(moment, workspace, act)
          if (result.network) await parts.record(task.treeId, { type: 'network.used', taskId: task.id, callId, use: result.network })
          return result
        }
        return parts.jobs.start(moment, { ...command, workspace, outputBytes: 0 }, around, signal)
      },
      live: (name) => parts.jobs.live(task.id, name),
      async poll(name, wait) {
        const news = await parts.jobs.poll(task.id, name, callId, wait, signal)
        if (news.state === 'running') await parts.history.settle(task.treeId)
        return news
      },
      write: (name, given) => parts.jobs.write(task.id, name, given),
      stop: (name) => parts.jobs.stop(task.id, name),
    },
    made: {
      asks: (draft) => parts.made.asks(draft, task.treeId),
      async preview(draft) {
        const { entry, trial, before, asks } = await parts.made.prepare(draft, task.treeId, signal)
        return {
          tool: 'create_tool',
          name: entry.name,
          description: entry.description,
          why: asks ?? 'the policy asks',
          ...{ permission: entry.made.permission, inputSchema: entry.made.inputSchema, outputSchema: entry.made.outputSchema ?? null },
          ...{ source: entry.made.source, tests: entry.made.tests, report: trial.report },
          before: before && { version: before.version, ...before.made },
        }
      },
      async make(draft) {
        const ready = await parts.made.prepare(draft, task.treeId, signal)
        const approval = await tasks.approval(callId)
        if (ready.asks !== null && approval === null)
          throw new Fault('forbidden', `Not made: ${ready.asks} meanwhile, so a person decides; call create_tool again.`)
        const { name } = ready.entry
        parts.failPoint?.('made.before-save')
        await turns.act(lease, callId, async (tx, grant) => {
          const at = { by: task.agent, treeId: task.treeId, taskId: task.id, approvedBy: approval?.by ?? null }
          const version = await parts.made.save(tx, ready, at)
          grant([name])
          const next =
            task.kind === 'work'
              ? `From your next turn on you have it: call ${name} by its name.`
              : `Try it if you like, then hand it over: end_task with "tools": ["${name}"].`
          return `Made the tool ${name} (version ${version}): all ${ready.trial.passed} tests passed.\n${parts.secrets.redact(ready.trial.report)}\n${next}`
        })
        parts.failPoint?.('made.after-save')
        await parts.made.refresh(name)
        lease.grants = { ...lease.grants, tools: [...new Set([...(lease.grants.tools ?? []), name])] }
      },
      async run(name, input) {
        const { outcome, rolledBack } = await parts.made.run(
          name,
          input,
          { id: callId, treeId: task.treeId, taskId: task.id, signal, tried: lease.grants.trial !== undefined },
          inFolder,
        )
        if (rolledBack)
          await turns.tellPerson(lease, callId, {
            kind: 'flag',
            title:
              rolledBack.to === null
                ? `The tool ${name} was switched off: ${rolledBack.why.slice(0, 200)}`
                : `The tool ${name} went back to an earlier version: ${rolledBack.why.slice(0, 200)}`,
            action: parts.secrets.redactAll(rolledBack),
            risk: 'medium',
          })
        return outcome
      },
    },
    supervision: supervision({ tasks, registry, lease, callId }),
    desk: frontDesk(parts, lease, callId),
    origin: {
      typedByPerson: (command) => ({ typed: typed !== null && command.trim() === typed.command, once: typed?.once ?? false }),
    },
  }

  /** What is in the prompts of other agents changes their work, so a person sees it first. False: one is asked, and the call runs again then. */
  async function mayReplace(before: Versioned<Document>, after: Document): Promise<boolean> {
    const users = (await registry.list('agent')).filter((agent) => agent.name !== task.agent && agent.documents.includes(before.name))
    if (users.length === 0 && before.name !== CORE) return true
    const usedBy = before.name === CORE ? 'every agent' : users.map((agent) => agent.name).join(', ')
    const approval = await tasks.approval(callId)
    if (approval === null) {
      const { name, version, content, description } = before
      const action = { tool: 'add_document', name, usedBy, version, description: after.description, before: content, after: after.content }
      await turns.askPerson(lease, callId, {
        kind: 'permission',
        title: parts.secrets.redact(`Change the document ${name}, which ${before.name === CORE ? usedBy : others(users.length)} reads`),
        action: parts.secrets.redactAll(description === after.description ? action : { ...action, was: description }),
        risk: 'medium',
        policy: { reason: `other agents work by it: ${usedBy}`, signature: `add_document ${name}`, taint: [], offers: [] },
      })
      return false
    }
    const shown = (approval.action as { version?: number } | null)?.version
    if (shown !== undefined && shown !== before.version)
      throw new Fault(
        'conflict',
        `Not saved: the document "${before.name}" changed while a person looked at it (version ${before.version} now); read it and begin again.`,
      )
    return true
  }
  /** Tools that agents of other goals made are not there, until a person approves them. */
  function maySee(kind: RegistryKind, name: string): boolean {
    return kind !== 'tool' || parts.made.mayHave(name, task.treeId)
  }
  /** The folder of the task for a tool that may have it; what it changes is kept like what a command changes. */
  async function inFolder<T>(permission: MadePermission, act: (workspace: string | null) => Promise<T>): Promise<T> {
    if (permission === 'pure') return act(null)
    const workspace = await realpath(await parts.workspaces.of(task))
    touched.folders.add(task.workspace)
    if (permission === 'read_workspace') return act(workspace)
    return parts.history.around(moment, workspace, () => act(workspace))
  }
  function onlyIfItMayWrite(): void {
    if (lease.grants.judging)
      throw new Fault('forbidden', 'A task that judges another changes nothing in the database; leave "write" out and read.')
  }
  /** What a statement would do now, found by reading. */
  async function written(sql: string) {
    const plan = planWrite(sql)
    const caps = { maxRows: MOST_WRITTEN + 1, maxBytes: WRITTEN_BYTES, timeoutMs: QUERY_MS }
    return { plan, rows: rowsOf(plan, await parts.query.query(plan.look, caps, signal), parts.now()) }
  }
  /** A redirect leads nowhere that a rule keeps the agent from. */
  async function mayGoThrough(host: string): Promise<void> {
    const why = hostRefusal(host, { treeId: task.treeId, agent: task.agent }, await tasks.rules.narrowing(), parts.now())
    if (why !== null) throw new Fault('forbidden', `The address leads on to ${host}, and ${why}; it is not fetched.`)
  }
  /** The folder is made when it is first used: most tasks of a large tree never touch a file. */
  function inWorkspace(): Capabilities['files'] {
    const inner = workspaceFiles(parts.workspaces.path(task), { protectedPaths: parts.protectedPaths })
    const made = () => parts.workspaces.of(task)
    return {
      root: inner.root,
      existing: (path) => made().then(() => inner.existing(path)),
      target: (path) => made().then(() => inner.target(path)),
      async open(path) {
        const top = await realpath(parts.workspaces.path({ treeId: task.treeId, workspace: '' })).catch(() => null) // the next line says what is missing
        await made()
        const handle = await inner.open(path)
        // Links are followed inside a workspace: it is the file that counts.
        const place = await inner.existing(path).catch(() => null) // gone again
        if (top !== null && place !== null) touched.files.add(relative(top, place).split(sep).join('/'))
        else touched.folders.add(task.workspace)
        return handle
      },
      async write(path, data, how = {}) {
        await made()
        await inner.target(path) // a refusal is no change that history could tell of
        return parts.history.writing(moment, inner.root, path, { data, append: how.append ?? false }, () => inner.write(path, data, how))
      },
      async remove(path, { again = false } = {}) {
        await made()
        const real = await ownOrGone(inner, path, again)
        if (real !== null) await parts.history.taking(moment, real, null, () => inner.remove(real))
      },
      async move(from, to, { again = false } = {}) {
        await made()
        const real = await ownOrGone(inner, from, again)
        if (real === null) return void (await inner.own(to))
        const target = await inner.target(to)
        if (await inner.existing(target).catch(() => null))
          // nothing is there, as it should be
          throw new Fault('conflict', `There is a "${to}" already; delete it first, or choose another name.`)
        const top = await realpath(parts.workspaces.path({ treeId: task.treeId, workspace: '' }))
        // Whoever moves words answers for them as if they had read them.
        touched.files.add(relative(top, real).split(sep).join('/'))
        await parts.history.taking(moment, real, target, () => inner.move(real, target))
      },
      list: (path, how) => made().then(() => inner.list(path, how)),
    }
  }
  async function ownOrGone(inner: WorkspaceFiles, path: string, again: boolean): Promise<string | null> {
    return inner.own(path).catch((error: unknown) => {
      if (again && error instanceof Fault && error.code === 'not_found') return null
      throw error
    })
  }
  async function kept<T>(act: () => Promise<T>): Promise<T> {
    return parts.history.around(moment, await parts.workspaces.of(task), act)
  }
  /** Git that changes files of the workspace is kept like a command. */
  function repositories(): TaskGit {
    const inner = workspaceFiles(parts.workspaces.path(task), { protectedPaths: parts.protectedPaths })
    const folder = () => parts.workspaces.of(task)
    const git = parts.repositories.forTask({
      treeId: task.treeId,
      taskId: task.id,
      agent: task.agent,
      files: { existing: files.existing, write: (path, data) => folder().then(() => inner.write(path, data)) },
      folder,
      typed: task.origin === 'person' ? task.instruction : null,
      signal,
    })
    return {
      ...git,
      checkout: (...args) => kept(() => git.checkout(...args)),
      merge: (...args) => kept(() => git.merge(...args)),
      restore: (...args) => kept(() => git.restore(...args)),
    }
  }
  async function criteriaOfJudged(): Promise<readonly string[]> {
    return task.parentId === null ? [] : ((await tasks.task(task.parentId)).criteria ?? [])
  }
  async function watcher(kind: 'evaluate' | 'summarize' | 'document') {
    const agent = await registry.get('agent', parts.helpers[kind])
    return agent?.enabled ? { agent: agent.name, timeoutSeconds: agent.timeout_seconds ?? parts.defaultTimeoutSeconds } : null
  }
  async function mustBeThere(kind: 'document' | 'tool', names: readonly string[] | undefined): Promise<void> {
    for (const name of names ?? []) {
      const entry = await registry.get(kind, name)
      if (!entry?.enabled || !maySee(kind, name)) throw new Fault('not_found', `Not ended: there is no ${kind} "${name}" to hand over.`)
    }
  }
  /** Files, links and changes by looking; commands by what the log says this task, or one below it, really ran. */
  async function checked(evidence: Parameters<typeof checkEvidence>[1]): Promise<CheckedEvidence[]> {
    const looked = await checkEvidence(files, evidence, (id) => parts.changes.ofGoal(task.treeId, id))
    if (!looked.some((item) => item.kind === 'command')) return looked
    const [ran, jobs] = await Promise.all([tasks.toolAnswers(task.id), parts.jobs.of(task.id)])
    return looked.map((item) => {
      if (item.kind !== 'command') return item
      const codes = [
        ...ran
          .filter(({ input }) => commandLine(input) === item.command.trim())
          .map(({ text }) => readCommand(text)?.exitCode)
          .filter((code) => code !== undefined),
        ...jobs.filter((job) => job.state === 'ended' && job.command === item.command.trim()).map((job) => job.exit_code),
      ]
      const { command, exitCode } = item
      if (codes.length === 0) return { kind: 'command', command, exitCode, ok: false, problem: `No task here or below ran \`${command}\`.` }
      if (!codes.includes(exitCode))
        return {
          kind: 'command',
          command,
          exitCode,
          ok: false,
          problem: `\`${command}\` ended with exit code ${codes.at(-1)}, not ${exitCode}.`,
        }
      return item
    })
  }
}

const others = (n: number): string => (n === 1 ? 'another agent' : `each of ${n} other agents`)

/** The command that a call asked for, as one line. */
function commandLine(input: unknown): string | null {
  const { command, argv } = (input ?? {}) as { command?: unknown; argv?: unknown }
  if (typeof command === 'string') return command.trim()
  return Array.isArray(argv) ? argv.join(' ') : null
}
