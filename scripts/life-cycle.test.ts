/** Changes that an agent makes, from its wish to the end, with the real start, keeper, engine and gates on a small checkout. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packagesKey } from './keeper/tree.mjs'
import { need } from './needs.ts'
import { type Checkout, checkout } from './testing/checkout.ts'
import { openPerson, type Person } from './testing/person.ts'
import { type Conversation, type PreparedAnswer, preparedModel } from './testing/prepared-model.ts'
import { GREETING, loud } from './testing/self.ts'

const ROOT = dirname(import.meta.dirname)
const PATIENCE_MS = 600_000
/** It passes every gate, because only an engine has a slot; three seconds after that engine is up it crashes. */
const BREAKS = `${loud('!')}
if (process.argv.some((word) => word.startsWith('--slot=')))
  setTimeout(() => {
    throw new Error('The greeting is out of breath.')
  }, 3_000)
`

/** For whoever judges. */
const GOOD = { passed: true, reasons: 'It is there.' }
/** What agents write for a wish, one after another; a person may ask for the next. */
const DRAFTS: Readonly<Record<string, readonly string[]>> = { louder: [loud('?'), loud('!')], breathless: [BREAKS] }
function answerOf({ task, answers, tools, turn }: Conversation): PreparedAnswer {
  const call = (tool: string, input: object): PreparedAnswer => ({ calls: [{ tool, input }] })
  const said = answers.at(-1) ?? ''
  const wish = Object.keys(DRAFTS).find((one) => task.includes(one))
  if (!tools.includes('propose_change') || wish === undefined)
    return call('end_task', { status: 'success', result: 'Nothing to add.', verdict: GOOD })
  const drafts = DRAFTS[wish]!
  const draft = Math.floor((turn - 1) / 2)
  if (turn === 0) return call('propose_change', { step: 'begin' })
  if (turn % 2 === 1 && (turn === 1 || (said.includes('asks for changes') && draft < drafts.length)))
    return call('write_file', { path: `banyan/${GREETING}`, content: drafts[draft]! })
  if (turn % 2 === 0)
    return call('propose_change', { step: 'submit', kind: 'feature', title: `Greets ${wish}`, why: 'People asked for it.' })
  return call('end_task', { status: said.includes('is kept') ? 'success' : 'failure', result: said })
}

describe.skipIf(!need('bubblewrap'))('a change by an agent, with a keeper that watches', () => {
  let source: Checkout
  let dataDir: string
  let model: Awaited<ReturnType<typeof preparedModel>>
  let banyan: ChildProcess
  let person: Person
  let kept: string
  let back: string
  let said = ''

  beforeAll(async () => {
    source = checkout()
    dataDir = mkdtempSync(join(tmpdir(), 'banyan-cycle-'))
    chmodSync(dataDir, 0o711)
    for (const name of ['start.mjs', 'prepare.mjs', 'keeper'])
      cpSync(join(ROOT, 'scripts', name), join(source.folder, 'scripts', name), {
        recursive: true,
        filter: (from) => !from.endsWith('.test.ts'),
      })
    const lock = '{ "name": "small", "lockfileVersion": 3 }\n'
    source.write('package-lock.json', lock)
    // Of the slot's own code it runs the greeting; all else is the engine that is tested.
    const engine = pathToFileURL(join(ROOT, 'scripts/engine.ts')).href
    source.write('scripts/engine.ts', `import '../${GREETING}'\n\nconst engine: string = '${engine}'\nawait import(engine)\n`)
    source.commit('With an engine')
    const deps = join(dataDir, 'keeper', 'deps', packagesKey(lock))
    mkdirSync(deps, { recursive: true, mode: 0o700 })
    symlinkSync(join(ROOT, 'node_modules'), join(deps, 'node_modules'))
    model = await preparedModel(answerOf)
    banyan = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(source.folder, 'scripts', 'start.mjs')], {
      detached: true,
      env: {
        PATH: process.env.PATH ?? '',
        DATA_DIR: dataDir,
        PORT: '0',
        ANTHROPIC_API_KEY: 'prepared',
        ANTHROPIC_BASE_URL: model.url,
        // A revision is kept when one task has ended with it.
        KEEPER_WATCH_SECONDS: '3600',
        KEEPER_WATCH_TASKS: '1',
      },
    })
    for (const stream of [banyan.stdout!, banyan.stderr!]) stream.on('data', (text) => (said += text))
    person = openPerson(dataDir, () => banyan.exitCode !== null, PATIENCE_MS)
  }, PATIENCE_MS)
  afterAll(async () => {
    if (banyan.exitCode === null) {
      const ended = once(banyan, 'exit')
      banyan.kill('SIGTERM')
      await ended
    }
    model.close()
    for (const folder of [source.folder, dataDir]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }, PATIENCE_MS)
  const ask = (goal: string) => person.goal({ goal, agent: 'review_agent' })
  const run = (command: string) => person.goal({ goal: `Run \`${command}\``, model: 'playbook' })
  const stateOf = (id: string, state: string) => person.until(async () => ((await person.change(id)).change.state === state ? true : null))
  /** What the engine that runs has of the greeting. */
  const running = () => {
    const { active, slots } = JSON.parse(readFileSync(join(dataDir, 'keeper', 'slots.json'), 'utf8')) as {
      active: string
      slots: Record<string, { tree: string }>
    }
    return readFileSync(join(dataDir, 'keeper', 'slots', slots[active]!.tree, GREETING), 'utf8')
  }

  test(
    'follows the words of a person, lands, is watched and kept, and a goal that runs meanwhile goes on',
    async () => {
      const other = await run('for i in 1 2 3 4 5 6 7 8; do sleep 1; done; echo through')
      const id = await ask('Greet louder')
      const first = await person.changeOf(id, 'review')
      await person.decide(first, 'changes', 'Not a question, please.')
      const asked = await person.until(async () => {
        const found = await person.changeOf(id, 'proposed', 'gating', 'review', 'refused')
        return found.change.id !== first.change.id && found.change.state === 'review' ? found : null
      })
      const author = (await person.tree(id)).tasks.find((task) => task.id === asked.change.taskId)
      expect(author).toMatchObject({ status: 'waiting', reason: 'review' })
      await person.decide(asked, 'approve')
      await person.changeOf(id, 'watching')
      expect(running()).toBe(loud('!'))
      expect((await person.tree(id)).status).toBe('waiting')
      await person.over(await run('true'))
      const { change, story } = await person.changeOf(id, 'kept')
      kept = change.id
      expect(story.map((step) => step.state).filter((state, n, all) => state !== all[n - 1])).toEqual([
      'proposed', 'gating', 'review', 'merged', 'restarting', 'watching', 'kept',
    ]) // biome-ignore format: one story
      expect(await person.over(id)).toMatchObject({ status: 'done', result: expect.stringContaining('is kept') })
      expect(await person.over(other)).toMatchObject({ status: 'done', result: expect.stringContaining('through') })
      expect(source.read(GREETING)).toBe(loud('!'))
    },
    PATIENCE_MS,
  )

  test(
    'that crashes while it is watched is undone by itself: code, main branch and history, and its author is told why',
    async () => {
      const id = await ask('Greet breathless')
      await person.decide(await person.changeOf(id, 'review'), 'approve')
      const { change } = await person.changeOf(id, 'undone')
      expect(change.note).toMatch(/it ended with 70/)
      expect(await person.over(id)).toMatchObject({
        status: 'failed',
        result: expect.stringMatching(/ran and was undone.*it ended with 70/),
      })
      expect(said).toContain('The greeting is out of breath.')
      expect(running()).toBe(loud('!'))
      expect(source.read(GREETING)).toBe(loud('!'))
      expect(source.git('log', '-2', '--format=%s').split('\n')).toEqual(['Take back: Greets breathless', 'Greets breathless'])
    },
    PATIENCE_MS,
  )

  test(
    'that was kept is taken back by a person, and the engine runs without it',
    async () => {
      back = (await person.http<{ id: string }>(`/api/changes/${kept}/rollback`, { comment: 'Too loud' })).id
      await stateOf(back, 'watching')
      await person.over(await run('true'))
      await stateOf(back, 'kept')
      expect((await person.change(kept)).change).toMatchObject({ state: 'undone', note: expect.stringContaining('took it back') })
      expect(running()).not.toContain('loud')
      expect(source.git('status', '--porcelain')).toBe('')
    },
    PATIENCE_MS,
  )

  test(
    'that is still watched goes at once when a person takes it back, an hour before the watch would end',
    async () => {
      const louder = (await person.http<{ id: string }>(`/api/changes/${back}/rollback`, {})).id
      await stateOf(louder, 'watching')
      expect(running()).toContain('loud')
      const quiet = (await person.http<{ id: string }>(`/api/changes/${louder}/rollback`, { comment: 'Still too loud' })).id
      await stateOf(louder, 'undone')
      await stateOf(quiet, 'kept')
      expect((await person.change(louder)).change.note).toContain('took it back: Still too loud')
      expect(running()).not.toContain('loud')
      expect(source.read(GREETING)).not.toContain('loud')
      expect(source.git('status', '--porcelain')).toBe('')
    },
    PATIENCE_MS,
  )
})
