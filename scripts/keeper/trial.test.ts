import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { until, world } from '../testing/keeper-world.ts'

// Several processes start in each.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let here: ReturnType<typeof world>
let settled: ReturnType<typeof world>
let good: string
beforeAll(async () => {
  settled = world()
  good = await settled.kept(GOOD)
})
beforeEach(() => {
  here = world(settled.dir)
})
afterEach(() => here.remove())
afterAll(() => settled.remove())

/** Runs until it finds a request, for which it restarts once. */
const GOOD = `await ready()
  if (process.env.SAFE_MODE === undefined) setInterval(() => { try { readFileSync(join(home, 'keeper', 'request.json')); leave('restart', 75) } catch {} }, 20)`
const last = (type: string) => here.events().findLast((event) => event.type === type)

/** A kept revision that runs, and a request for one whose engine is `candidate`. */
async function onTrial(candidate: string, options: string[] = [], more?: (folder: string) => void, changed: object = {}) {
  const kept = here.keep(...options)
  await kept.line('up')
  const tree = here.prepare(candidate, more)
  here.put('request.json', { tree, from: good, changeId: 'ch_1', ...changed })
  return { tree, ...kept }
}

describe('a revision on trial', () => {
  it.each([
    ['a syntax error', 'this is no program', 3, /it ended with 1/],
    ['an import that does not exist', `await import('./nothing.ts')`, 3, /it ended with 1/],
    ['a crash after it was ready', 'await ready(); process.exit(3)', 1, /it ended with 3/],
    ['a start that hangs', 'setInterval(() => {}, 1e6)', 1, /made no progress/],
    [
      'progress that is always the same',
      `setInterval(() => send({ type: 'progress', step: 'one' }), 50)`,
      1,
      /made no progress after "one"/,
    ],
    ['exit 0 without being asked', 'process.exit(0)', 3, /it ended with 0/],
    ['exit 0 later without being asked', 'await ready(); process.exit(0)', 1, /it ended with 0/],
    ['a refusal of the settings', 'process.exit(78)', 1, /it ended with 78/],
    ['one restart after the other', 'process.exit(75)', 3, /three tries/],
    ['exit 75 later without saying so', 'await ready(); setTimeout(() => process.exit(75), 2_500)', 1, /it ended with 75/],
    ['restarts for ever', `await ready(); leave('restart', 75)`, 6, /one restart after the other/],
    ['no HTTP', `await ready({ url: 'http://127.0.0.1:9' })`, 1, /health cannot be read/],
    ['an answer of 500', 'await ready({ answer: (reply) => { reply.statusCode = 500; reply.end() } })', 1, /answered 500/],
    [
      'another revision',
      `await ready({ answer: (reply, health) => reply.end(JSON.stringify({ ...health, revision: 'x' })) })`,
      1,
      /revision x/,
    ],
    ['another schema', `await ready({ answer: (reply, health) => reply.end(JSON.stringify({ ...health, schema: 9 })) })`, 1, /schema 9/],
    ['a database that refuses the last good one', 'await ready({ oldestCode: 2 })', 1, /refuses the last good revision/],
    [
      'health that ends',
      `let n = 0; await ready({ answer: (reply, health) => { reply.statusCode = n++ ? 500 : 200; reply.end(JSON.stringify(health)) } })`,
      1,
      /three looks in a row/,
    ],
    ['a blocked event loop', 'await ready(); setTimeout(() => { for (;;); }, 300)', 1, /silent|three looks/],
  ])('is undone for %s, and the last good one goes on', async (_, candidate, boots, reason) => {
    const { tree, line, stop } = await onTrial(candidate)
    await until(() => last('undone') !== undefined)
    await line('up')
    await until(() => here.table().active === 'A' && here.events().at(-1)?.type === 'ready')
    expect(last('undone')).toMatchObject({ tree, changeId: 'ch_1', slot: 'B' })
    const reasons = here
      .events()
      .filter((event) => event.tree === tree)
      .map((event) => event.reason)
    expect(reasons.join('\n')).toMatch(reason)
    expect(here.events().filter((event) => event.type === 'boot' && event.tree === tree)).toHaveLength(boots)
    expect(here.table().failed[tree]).toBeDefined()
    expect((await stop()).code).toBe(0)
  })

  it('is kept when its time ended well, and can be rolled back by a person', async () => {
    const { tree, line, stop } = await onTrial(GOOD.replace('await', '/* new */ await'), ['--watch-seconds=0.3'])
    await until(() => last('kept')?.tree === tree)
    expect(here.table()).toMatchObject({ active: 'B', slots: { B: { state: 'kept' } } })
    here.put('request.json', { kind: 'rollback', changeId: 'ch_1' })
    await until(() => last('undone') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(here.table()).toMatchObject({ active: 'A', slots: { A: { tree: good }, B: { state: 'undone' } } })
    await line('up')
    await stop()
  })

  it('goes back at once when a person takes it back while it is watched, and does not come again', async () => {
    const { tree, line, stop } = await onTrial(GOOD.replace('await', '/* new */ await'))
    await until(() => last('ready')?.tree === tree)
    here.put('request.json', { kind: 'rollback', changeId: 'ch_1', reason: 'ada took it back.' })
    await until(() => last('undone') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(last('undone')).toMatchObject({ tree, changeId: 'ch_1', reason: 'ada took it back.' })
    expect(here.table()).toMatchObject({ active: 'A', slots: { A: { tree: good }, B: { state: 'undone' } } })
    expect(here.table().failed[tree]).toMatchObject({ reason: 'ada took it back.' })
    expect(last('kept')?.tree, 'it was never kept').not.toBe(tree)
    await line('up')
    await stop()
  })

  it('that follows a first revision which is still watched counts that as the good one', async () => {
    here.remove()
    here = world()
    const first = here.first(GOOD)
    const kept = here.keep()
    await kept.line('up')
    const tree = here.prepare('await ready(); process.exit(3)')
    here.put('request.json', { tree, from: first, changeId: 'ch_1' })
    await until(() => last('undone') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(last('undone')).toMatchObject({ tree, reason: expect.stringMatching(/ended with 3/) })
    expect(here.table()).toMatchObject({ active: 'A', slots: { A: { tree: first, state: 'kept' } } })
    await kept.stop()
  })

  it('is kept when enough tasks ended', async () => {
    const { tree, stop } = await onTrial('await ready({ ended: 50 })')
    await until(() => last('kept')?.tree === tree)
    await stop()
  })

  it('goes on after a graceful stop with the tries that it had', async () => {
    const { tree, stop } = await onTrial(GOOD.replace('await', '/* new */ await'))
    await until(() => last('ready')?.tree === tree)
    await stop()
    for (let n = 0; n < 4; n++) {
      const again = here.keep()
      await again.line('up')
      await again.stop()
    }
    expect(here.table()).toMatchObject({ active: 'B', slots: { B: { tree, state: 'trial' } } })
  })
})

describe('a request is refused', () => {
  it.each([
    [
      'for files that are not the tree',
      (folder: string) => writeFileSync(join(folder, 'more.txt'), ''),
      {},
      /which is not what was asked for/,
    ],
    ['for a link in the tree', (folder: string) => symlinkSync('/etc/passwd', join(folder, 'link')), {}, /link or a special file/],
    [
      'for packages that were not prepared',
      (folder: string) => writeFileSync(join(folder, 'package-lock.json'), '{}'),
      {},
      /not what was asked/,
    ],
    ['when it was tried on another revision', undefined, { from: '0'.repeat(40) }, /not the running one/],
    ['without a tree', undefined, { tree: '../../etc' }, /names no tree/],
    ['for a page that is not there', (folder: string) => folder, { page: 'x' }, /names no tree/],
  ])('%s, and the same revision goes on', async (_, more, changed, reason) => {
    const { line, stop } = await onTrial('await ready()', [], more as never, changed)
    await until(() => last('refused') !== undefined)
    expect(last('refused')).toMatchObject({ changeId: 'ch_1', reason: expect.stringMatching(reason) })
    await line('up')
    expect(here.table()).toMatchObject({ active: 'A', slots: { A: { tree: good } } })
    await stop()
  })

  it('to take a change back that does not run', async () => {
    const kept = here.keep()
    await kept.line('up')
    here.put('request.json', { kind: 'rollback', changeId: 'ch_9' })
    await until(() => last('refused') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(last('refused')).toMatchObject({ changeId: 'ch_9', reason: expect.stringMatching(/no earlier revision|another revision runs/) })
    expect(here.table()).toMatchObject({ active: 'A', slots: { A: { tree: good, state: 'kept' } } })
    await kept.stop()
  })

  it('for a tree that failed before, and for an id that was seen before', async () => {
    const { tree, stop } = await onTrial('await ready(); process.exit(3)')
    await until(() => last('undone') !== undefined && here.events().at(-1)?.type === 'ready')
    here.prepare('await ready(); process.exit(3)')
    here.put('request.json', { id: 'twice', tree, from: good, changeId: 'ch_2' })
    await until(() => last('refused')?.changeId === 'ch_2' && here.events().at(-1)?.type === 'ready')
    expect(last('refused')?.reason).toMatch(/failed before/)
    const seen = here.events().length
    here.put('request.json', { id: 'twice', tree, from: good, changeId: 'ch_3' })
    await until(() => here.events().length > seen && here.events().at(-1)?.type === 'ready')
    expect(here.events().some((event) => event.changeId === 'ch_3')).toBe(false)
    await stop()
  })
})

describe('the database of a trial', () => {
  const CREATE = `import { DatabaseSync } from 'node:sqlite'
    const db = new DatabaseSync(join(home, 'test.db'))`
  function database() {
    const db = new DatabaseSync(join(here.dir, 'test.db'))
    db.exec("create table tasks (id text, note text); insert into tasks values ('one', 'x'), ('two', 'y')")
    db.close()
  }
  const rows = () => {
    const db = new DatabaseSync(join(here.dir, 'test.db'))
    try {
      return db
        .prepare('select * from tasks order by id')
        .all()
        .map((row) => ({ ...row }))
    } finally {
      db.close()
    }
  }

  it('that lost a column is undone, and put back when the last good revision cannot run on it', async () => {
    here.remove()
    here = world()
    database()
    const good = await here.kept(`${CREATE}; db.prepare('select note from tasks').all(); db.close(); ${GOOD}`)
    const kept = here.keep(`--database=${join(here.dir, 'test.db')}`)
    await kept.line('up')
    const tree = here.prepare(`${CREATE}; db.exec('alter table tasks drop column note'); db.close(); await ready()`)
    here.put('request.json', { tree, from: good, changeId: 'ch_1' })
    await until(() => last('restored') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(last('undone')).toMatchObject({ tree, reason: expect.stringMatching(/took tasks.note out of the database/) })
    expect(rows()).toEqual([
      { id: 'one', note: 'x' },
      { id: 'two', note: 'y' },
    ])
    await kept.stop()
  })

  it('that lost what the last good revision does not need at its start is put back all the same', async () => {
    database()
    const { stop } = await onTrial(`${CREATE}; db.exec('alter table tasks drop column note'); db.close(); await ready()`, [
      `--database=${join(here.dir, 'test.db')}`,
    ])
    await until(() => last('restored') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(rows()).toEqual([
      { id: 'one', note: 'x' },
      { id: 'two', note: 'y' },
    ])
    await stop()
  })

  it('that a person rolls back before it was let to work is put back to how it was', async () => {
    database()
    const options = [`--database=${join(here.dir, 'test.db')}`]
    const change = `${CREATE}; db.exec('alter table tasks drop column note'); db.close(); say('changed'); setInterval(() => {}, 1e6)`
    const { tree, line, keeper, end } = await onTrial(change, options)
    await line('changed')
    keeper.kill('SIGKILL')
    await end()
    here.put('request.json', { kind: 'rollback', changeId: null })
    const next = here.keep(...options)
    await next.line('up')
    expect(last('undone')).toMatchObject({ tree, reason: 'a person rolled it back' })
    expect(last('restored')).toBeDefined()
    expect(rows()).toEqual([
      { id: 'one', note: 'x' },
      { id: 'two', note: 'y' },
    ])
    await next.stop()
  })

  it('that lost tasks is undone', async () => {
    database()
    const { tree, stop } = await onTrial(`${CREATE}; db.exec("delete from tasks where id = 'two'"); db.close(); await ready()`, [
      `--database=${join(here.dir, 'test.db')}`,
    ])
    await until(() => last('undone') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(last('undone')).toMatchObject({ tree, reason: expect.stringMatching(/removed 1 tasks/) })
    await stop()
  })

  it('that only grew stays as it is when the trial is undone', async () => {
    database()
    const { stop } = await onTrial(
      `${CREATE}; db.exec("alter table tasks add column more text; insert into tasks values ('three', 'z', 'm')"); db.close(); await ready(); process.exit(1)`,
      [`--database=${join(here.dir, 'test.db')}`],
    )
    await until(() => last('undone') !== undefined && here.events().at(-1)?.type === 'ready')
    expect(rows()).toHaveLength(3)
    expect(last('restored')).toBeUndefined()
    await stop()
  })
})
