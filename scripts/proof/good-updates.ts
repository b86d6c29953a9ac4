/**
 * Real small changes of this very source, from a person's wish to a kept revision: a clone of it is started as `npm start` does, its agents
 * answer with what `good-changes.ts` holds, all gates run, a person approves over HTTP, the real keeper restarts, watches and keeps.
 *
 * `npm run proof -- good`            those that docs/evolution-log.md does not have yet
 * `npm run proof -- good all`        every one
 * `npm run proof -- good NAME…`      these
 *
 * Minutes a change. Goals without a model run beside it; none may be lost. GOOD_WATCH_SECONDS (20) is how long each is watched.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ResponseOf } from '../../core/contract/api.ts'
import { isSettled } from '../../core/contract/change.ts'
import { type Conversation, type PreparedAnswer, preparedModel } from '../testing/prepared-model.ts'
import { logOf, namesIn, type Run, withRun } from './evolution-log.ts'
import { GOOD_CHANGES, type GoodChange } from './good-changes.ts'

const ROOT = dirname(dirname(import.meta.dirname))
const LOG = join(ROOT, 'docs', 'evolution-log.md')
const WATCH_SECONDS = Number(process.env.GOOD_WATCH_SECONDS ?? 20)
const MOST_MS = 45 * 60_000
const MANY = 12

type Detail = ResponseOf<'change'>

/** What the model says. The selector hands over; whoever can change the source does what is prepared; all others end. */
function answerOf({ tools, task, answers, turn }: Conversation): PreparedAnswer {
  const call = (tool: string, input: object): PreparedAnswer => ({ calls: [{ tool, input }] })
  const end = (result: string, status = 'success') => call('end_task', { status, result })
  const change = GOOD_CHANGES.find((one) => task.includes(one.goal))
  if (!tools.includes('propose_change')) {
    if (tools.includes('list_agents') && change)
      return turn === 0
        ? call('list_agents', {})
        : call('start_subtask', { task_instruction: change.goal, agent_type: 'review_agent', handover: true, workspace: 'shared' })
    return end('Nothing to add.')
  }
  if (!change) return end('Nothing is prepared for these words.', 'failure')
  const { kind, title, why, evidence, effect } = change
  if (turn === 0) return call('propose_change', { step: 'begin' })
  const paths = [...new Set(change.edits.map((edit) => edit.path))]
  if (turn === 1) return { calls: ['AGENTS.md', ...paths].map((path) => ({ tool: 'read_file', input: { path: `banyan/${path}` } })) }
  if (turn === 2)
    return {
      calls: [
        ...paths.map((path) => ({
          tool: 'edit_file',
          input: {
            path: `banyan/${path}`,
            edits: change.edits.flatMap((edit) => (edit.path === path ? [{ old_text: edit.from, new_text: edit.to }] : [])),
          },
        })),
        ...change.files.map(({ path, text }) => ({ tool: 'write_file', input: { path: `banyan/${path}`, content: text } })),
      ],
    }
  if (turn === 3) return call('propose_change', { step: 'submit', kind, title, why, evidence, effect })
  const said = answers.at(-1) ?? ''
  return end(said, said.includes('is kept') ? 'success' : 'failure')
}

async function prove(changes: readonly GoodChange[]): Promise<boolean> {
  const home = mkdtempSync(join(tmpdir(), 'banyan-good-'))
  const [checkout, dataDir] = [join(home, 'checkout'), join(home, 'data')]
  const git = (...args: string[]) => execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).trim()
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', ROOT, checkout])
  git('checkout', '--quiet', '-B', 'main')
  takeBack(checkout, changes)
  if (git('status', '--porcelain') !== '') {
    git('add', '--all')
    git('-c', 'user.name=Proof', '-c', 'user.email=proof@banyan.invalid', 'commit', '--quiet', '-m', 'As it was before these changes')
  }
  if (spawnSync('cp', ['-al', join(ROOT, 'node_modules'), checkout]).status !== 0)
    rmSync(join(checkout, 'node_modules'), { recursive: true, force: true }) // the start installs them
  const model = await preparedModel(answerOf)
  const banyan = spawn(process.execPath, [join(checkout, 'scripts', 'bootstrap.mjs'), 'start'], {
    cwd: checkout,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      DATA_DIR: dataDir,
      PORT: '0',
      MODEL: 'openai/prepared',
      OPENAI_BASE_URL: model.url,
      KEEPER_WATCH_SECONDS: String(WATCH_SECONDS),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(banyan, 'exit')
  let gone = false
  void ended.then(() => (gone = true))
  try {
    const person = personAt(dataDir, () => gone)
    const beside: string[] = []
    let good = true
    for (const change of changes) {
      beside.push(await person.goal({ goal: '1. Run `sleep 20 && echo one`\n2. Then run `echo two`', model: 'playbook' }))
      const run = await one(person, change)
      good &&= run.end === 'kept'
      console.log(logOf(run))
      const before = existsSync(LOG) ? readFileSync(LOG, 'utf8') : ''
      mkdirSync(dirname(LOG), { recursive: true })
      writeFileSync(LOG, withRun(before, run))
    }
    const lost = await person.unfinished(beside)
    console.log(`${changes.length} changes; ${beside.length} goals ran beside them, ${lost.length} were lost`)
    return good && lost.length === 0
  } finally {
    banyan.kill('SIGTERM')
    await ended
    model.close()
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** What this source has of them already is taken out of the copy, the last one first. */
function takeBack(checkout: string, changes: readonly GoodChange[]): void {
  for (const { edits, files } of changes.toReversed()) {
    for (const { path, from, to } of edits.toReversed()) {
      const file = join(checkout, path)
      const text = readFileSync(file, 'utf8')
      if (text.includes(to))
        writeFileSync(
          file,
          text.replace(to, () => from),
        )
    }
    for (const { path } of files) rmSync(join(checkout, path), { force: true })
  }
}

type Person = ReturnType<typeof personAt>
/** Over HTTP with the admin's token; a call that meets a restart is made again. */
function personAt(dataDir: string, isGone: () => boolean) {
  const end = Date.now() + MOST_MS * MANY
  async function http<T>(path: string, body?: object): Promise<T> {
    for (;;) {
      if (isGone()) throw new Error('Banyan ended')
      if (Date.now() > end) throw new Error(`${path} was never answered`)
      try {
        const at = readFileSync(join(dataDir, 'url'), 'utf8').trim()
        const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim()
        const answer = await fetch(`${at}${path}`, {
          method: body === undefined ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(30_000),
        })
        if (answer.ok) return (await answer.json()) as T
        if (answer.status !== 503) throw new Refused(`${path}: ${answer.status} ${await answer.text()}`)
      } catch (error) {
        if (error instanceof Refused) throw error
      }
      await pause(250)
    }
  }
  return {
    goal: async (body: object) => (await http<{ treeId: string }>('/api/goals', body)).treeId,
    changeOf: async (treeId: string): Promise<Detail | null> => {
      const { items } = await http<ResponseOf<'changes'>>(`/api/changes?treeId=${treeId}`)
      return items[0] ? http<Detail>(`/api/changes/${items[0].id}`) : null
    },
    tree: (id: string) => http<ResponseOf<'tree'>>(`/api/trees/${id}`),
    async approve(reviewId: string) {
      const { actionHash } = await http<ResponseOf<'review'>>(`/api/reviews/${reviewId}`)
      await http(`/api/reviews/${reviewId}/decision`, { decision: 'approve', actionHash })
    },
    /** Those of these goals that do not end well. */
    async unfinished(ids: readonly string[]): Promise<string[]> {
      const lost: string[] = []
      for (const id of ids) {
        let { status } = await this.tree(id)
        while (!['done', 'failed', 'cancelled', 'dead'].includes(status)) {
          await pause(500)
          status = (await this.tree(id)).status
        }
        if (status !== 'done') lost.push(`${id} (${status})`)
      }
      return lost
    },
    health: () => http<{ revision: string }>('/health'),
  }
}
class Refused extends Error {}

async function one(person: Person, change: GoodChange): Promise<Run> {
  const began = Date.now()
  const load = loadavg()[0]!
  const treeId = await person.goal({ goal: change.goal })
  let approvedAt: number | null = null
  for (;;) {
    if (Date.now() - began > MOST_MS) throw new Error(`${change.name} did not end in ${MOST_MS / 60_000} minutes`)
    const found = await person.changeOf(treeId)
    if (found?.change.state === 'review' && found.change.decidedBy === null && found.change.reviewId !== null && approvedAt === null) {
      await person.approve(found.change.reviewId)
      approvedAt = Date.now()
    }
    const tree = await person.tree(treeId)
    if (found && isSettled(found.change.state)) return runOf(found, (await person.health()).revision)
    if (!found && ['done', 'failed', 'cancelled', 'dead'].includes(tree.status))
      throw new Error(`${change.name}: nothing was proposed: ${tree.result ?? tree.status}`)
    await pause(1_000)
  }

  function runOf({ change: ended, gates, story }: Detail, revision: string): Run {
    const at = (state: string, last = false) => {
      const step = last ? story.findLast((one) => one.state === state) : story.find((one) => one.state === state)
      return step ? Date.parse(step.at) : null
    }
    const served = at('watching', true)
    const decided = approvedAt ?? at('review', true)
    return {
      name: change.name,
      title: ended.title,
      goal: change.goal,
      id: ended.id,
      level: ended.level,
      files: ended.files.map((file) => file.path),
      decidedBy: ended.decidedBy,
      gates: gates.map(({ name, verdict, ms }) => ({ name, verdict, ms })),
      end: ended.state,
      note: ended.note,
      revision,
      commit: ended.commit,
      at: new Date(began).toISOString(),
      wholeMs: Date.now() - began,
      toServingMs: served !== null && decided !== null ? served - decided : null,
      watchSeconds: WATCH_SECONDS,
      cores: availableParallelism(),
      load,
    }
  }
}

const wanted = process.argv.slice(2)
const log = existsSync(LOG) ? readFileSync(LOG, 'utf8') : ''
const unknown = wanted.filter((name) => name !== 'all' && !GOOD_CHANGES.some((one) => one.name === name))
if (unknown.length > 0) {
  console.error(`There is no change ${unknown.join(', ')}; there are: ${GOOD_CHANGES.map((one) => one.name).join(', ')}`)
  process.exit(2)
}
const chosen = GOOD_CHANGES.filter((one) =>
  wanted.length === 0 ? !namesIn(log).includes(one.name) : wanted.includes('all') || wanted.includes(one.name),
)
if (chosen.length === 0) console.log('The log has every change; run them again with "all", or name some.')
else process.exitCode = (await prove(chosen)) ? 0 : 1
