/** What an outsider sees of a run that came to rest, and what must be true of it besides what must be true of every database. */
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isRepeated } from '../../core/contract/answers.ts'
import { isWatcher } from '../../core/contract/task.ts'
import type { Runtime } from '../../core/runtime.ts'
import type { TaskRow } from '../../core/tasks/rows.ts'
import { toReview, toTask } from '../../core/tasks/rows.ts'
import type { PersonSees, Scenario } from './scenarios.ts'
import { effectLines, type Noted, type World } from './world.ts'

export async function see(runtime: Runtime, world: World, kills: number): Promise<PersonSees> {
  const { db } = runtime.store
  const tasks = await db
    .selectFrom('tasks')
    .innerJoin('trees', 'trees.id', 'tasks.tree_id')
    .selectAll('tasks')
    .orderBy('trees.idempotency_key')
    .orderBy('tasks.id')
    .execute()
  const reviews = await db.selectFrom('reviews').selectAll().orderBy('created_at').orderBy('id').execute()
  const replies = await db
    .selectFrom('messages')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('role', '=', 'assistant')
    .executeTakeFirstOrThrow()
  return { tasks: tasks.map((row) => toTask(row as TaskRow)), reviews: reviews.map(toReview), replies: Number(replies.count), kills, world }
}

/** What `write_file` writes beside the file before it takes its place; a kill in between leaves it, hidden. */
const DRAFT = /\/\.[0-9a-f-]{36}\.tmp$/
/** Kinds of review items that a kill may add. */
const OF_KILLS = ['in_doubt', 'dead_task']

/** The outcome as text, for comparison with a run that nobody killed. Ids of trees are drawn; here they are numbered. */
export async function picture(runtime: Runtime, scenario: Scenario, folder: string): Promise<string> {
  if (scenario.compare === 'nothing') return ''
  const { db } = runtime.store
  const trees = await db.selectFrom('trees').select(['id', 'paused_reason']).orderBy('idempotency_key').execute()
  const tasks = (await db.selectFrom('tasks').selectAll().orderBy('id').execute()).map((row) => toTask(row as TaskRow))
  const documents = await db
    .selectFrom('documents')
    .select(['name', 'version', 'body'])
    .where('author', '<>', 'seed')
    .orderBy('name')
    .execute()
  const reviews = await db.selectFrom('reviews').selectAll().where('kind', 'not in', OF_KILLS).orderBy('id').execute()
  const files = globSync('data/workspaces/**', { cwd: folder })
    .filter(
      (path) => statSync(join(folder, path)).isFile() && !path.includes('/.tmp/') && !DRAFT.test(path) && !path.endsWith('/effects.log'),
    )
    .sort()
  const whole = scenario.compare === undefined
  const shown = {
    trees: trees.map(({ paused_reason }) => paused_reason),
    tasks: tasks.filter((t) => scenario.compare !== 'work' || !isWatcher(t.kind)).map((t) => [
      t.id, t.parentId, t.kind, t.agent, t.title, t.status, t.reason, t.stoppedByPerson, t.workspace,
      ...(whole ? [t.result, t.summary, t.verdict, t.evidence] : []),
    ]), // biome-ignore format: one line a kind of column
    documents,
    reviews: reviews.map((r) => [r.id, r.kind, r.state, r.decision, r.decided_by]),
    files: files.map((path) => [path, whole ? readFileSync(join(folder, path), 'utf8') : '']),
    effects: [...new Set(effectLines(folder))].sort(),
  }
  const text = JSON.stringify(shown, null, 1)
  return trees.reduce((now, { id }, n) => now.replaceAll(id, `tree-${n}`), text)
}

/** Sentences about what is broken. */
export async function judge(
  runtime: Runtime,
  scenario: Scenario,
  world: World & { noted(): Noted[] },
  job: { folder: string; lives: number },
): Promise<string[]> {
  const { db } = runtime.store
  const kills = job.lives - 1 - (scenario.deaths ?? 0)
  const sees = await see(runtime, world, kills)
  // Three deaths in a row rightly set a task aside; what the goal came to then is another matter.
  const aside = scenario.deaths === undefined && kills >= 3 && sees.tasks.some((task) => task.status === 'dead')
  const found = aside ? [] : [...(scenario.check?.(sees) ?? [])]

  const counts = new Map<string, number>()
  for (const line of effectLines(job.folder)) counts.set(line, (counts.get(line) ?? 0) + 1)
  for (const [line, count] of counts) {
    const how = scenario.effects?.[line]
    if (how === undefined) found.push(`the effect "${line}" is none that anybody asked for`)
    if (how === 'once' && count > 1) found.push(`the effect "${line}" happened ${count} times`)
  }
  const calls = await db.selectFrom('calls').selectAll().execute()
  const began = await db.selectFrom('events').select('fact').where('fact', 'like', '{"type":"call.began"%').execute()
  const answers = new Map(
    (await db.selectFrom('messages').select('body').where('role', '=', 'tool').execute())
      .map(({ body }) => JSON.parse(body) as { callId: string; text: string })
      .map((answer) => [answer.callId, answer.text]),
  )
  let ran = 0
  for (const call of calls) {
    const facts = began.filter(({ fact }) => (JSON.parse(fact) as { callId: string }).callId === call.id).length
    if (facts !== call.attempts) found.push(`call ${call.id} began ${call.attempts} times and the log tells of ${facts}`)
    const text = answers.get(call.id)
    if (call.tool !== 'use_terminal') continue
    ran += call.attempts
    if (call.attempts > 1 && text?.startsWith('exit code') && !isRepeated(text))
      found.push(`call ${call.id} ran ${call.attempts} times and its answer does not say so`)
  }
  const most = Math.max(0, ...counts.values())
  if (most > ran) found.push(`an effect happened ${most} times and the log tells of ${ran} commands`)

  for (const task of sees.tasks) {
    if (task.status !== 'dead') continue
    if (job.lives <= 3) found.push(`task ${task.id} is dead after ${job.lives - 1} kills`)
    if (!sees.reviews.some((review) => review.kind === 'dead_task' && review.taskId === task.id))
      found.push(`task ${task.id} is dead and nobody was told`)
  }

  for (const one of world.noted()) {
    if (one.what === 'goal' && !sees.tasks.some((task) => task.id === one.tree)) found.push(`goal ${one.tree} was acknowledged and is gone`)
    if (one.what === 'decided') {
      const review = sees.reviews.find((item) => item.id === one.review)
      if (review?.decision !== one.decision || review.decidedBy !== 'owner')
        found.push(`the decision on ${one.review} was acknowledged and is gone`)
    }
    if (one.what === 'controlled' && one.verb === 'abort' && sees.tasks.find((task) => task.id === one.task)?.status !== 'cancelled')
      found.push(`task ${one.task} was stopped by a person and did not stay so`)
    if (one.what === 'doubt' && !sees.reviews.some((review) => review.kind === 'in_doubt' && review.callId === one.call))
      found.push(`call ${one.call} was cut off, may have happened, and was not put before a person`)
  }
  return found
}
