/**
 * Real small changes of this very source, from a person's wish to a kept revision: a clone of it is started as `npm start` does, its agents
 * answer with what `good-changes.ts` holds, all gates run, a person approves over HTTP, the real keeper restarts, watches and keeps.
 *
 * `npm run proof -- good`            those that docs/evolution-log.md does not have with the end that they must have
 * `npm run proof -- good all`        every one that this source has not yet
 * `npm run proof -- good NAME…`      these, in this order
 *
 * Some must be refused, by the gate that they name. Minutes a change. Goals without a model run beside it; none may be lost. GOOD_WATCH_SECONDS (20) is how long each is watched.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ChangeDetail, openPerson, type Person } from '../testing/person.ts'
import { type Conversation, type PreparedAnswer, preparedModel } from '../testing/prepared-model.ts'
import { isRight, type Run, rightIn, tryOf, withRun } from './evolution-log.ts'
import { GOOD_CHANGES, type GoodChange } from './good-changes.ts'

const ROOT = dirname(dirname(import.meta.dirname))
const LOG = join(ROOT, 'docs', 'evolution-log.md')
const WATCH_SECONDS = Number(process.env.GOOD_WATCH_SECONDS ?? 20)
const MOST_MS = 120 * 60_000

/** What the model says. The selector hands over; whoever can change the source does what is prepared; all others end. */
function answerOf({ tools, task, answers, turn }: Conversation): PreparedAnswer {
  const call = (tool: string, input: object): PreparedAnswer => ({ calls: [{ tool, input }] })
  // The verdict is for whoever judges; others may have one too.
  const verdict = { passed: true, reasons: 'What was asked for is there.' }
  const end = (result: string, status = 'success') => call('end_task', { status, result, verdict })
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
  // Work of agents runs as another user, who must get through.
  chmodSync(home, 0o711)
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
      ANTHROPIC_API_KEY: 'prepared',
      ANTHROPIC_BASE_URL: model.url,
      KEEPER_WATCH_SECONDS: String(WATCH_SECONDS),
      // The machine may do much else.
      GATE_TIME_FACTOR: '6',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(banyan, 'exit')
  let gone = false
  void ended.then(() => (gone = true))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => banyan.kill(signal))
  try {
    const person = openPerson(dataDir, () => gone, MOST_MS)
    const beside: string[] = []
    let good = true
    for (const change of changes) {
      beside.push(await person.goal({ goal: '1. Run `sleep 20 && echo one`\n2. Then run `echo two`', model: 'playbook' }))
      const run = await one(person, change)
      good &&= isRight(run)
      console.log(tryOf(run))
      const before = existsSync(LOG) ? readFileSync(LOG, 'utf8') : ''
      mkdirSync(dirname(LOG), { recursive: true })
      writeFileSync(LOG, withRun(before, run))
    }
    const ends = await Promise.all(beside.map((id) => person.over(id)))
    const lost = ends.filter((tree) => tree.status !== 'done')
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
  for (const { edits, files } of GOOD_CHANGES.filter((one) => changes.includes(one)).toReversed()) {
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

async function one(person: Person, change: GoodChange): Promise<Run> {
  const began = Date.now()
  const load = loadavg()[0]!
  const treeId = await person.goal({ goal: change.goal })
  let approvedAt: number | null = null
  const first = await person.changeOf(treeId, 'review', 'merged', 'restarting', 'watching', 'kept', 'undone', 'refused')
  if (first.change.state === 'review' && first.change.decidedBy === null) {
    await person.decide(first, 'approve')
    approvedAt = Date.now()
  }
  const ended = await person.changeOf(treeId, 'kept', 'undone', 'refused')
  await person.over(treeId)
  const bad = ended.gates.find((gate) => gate.verdict === 'failed')
  if (bad) console.log((await person.http<{ log: string }>(`/api/changes/${ended.change.id}/gates/${encodeURIComponent(bad.name)}`)).log)
  return runOf(ended, (await person.http<{ revision: string }>('/health')).revision)

  function runOf({ change: ended, gates, story }: ChangeDetail, revision: string): Run {
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
      refusedBy: change.refusedBy ?? null,
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
const named = wanted.flatMap((name) => GOOD_CHANGES.filter((one) => one.name === name))
const due = named.length > 0 ? named : GOOD_CHANGES.filter((one) => wanted.includes('all') || !rightIn(log).includes(one.name))
// Changes that were kept were taken over into this source, as those of any installation are into its own.
const isHere = ({ edits }: GoodChange) => edits.some(({ path, from }) => !readFileSync(join(ROOT, path), 'utf8').includes(from))
for (const { name } of due.filter(isHere))
  console.log(`not tried: ${name}; this source has it already, or is another one than it was made for`)
const chosen = due.filter((one) => !isHere(one))
if (due.length === 0) console.log('The log has every change with the end that it must have; run them again with "all", or name some.')
else if (chosen.length > 0) process.exitCode = (await prove(chosen)) ? 0 : 1
