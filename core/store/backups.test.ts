import { createHash } from 'node:crypto'
import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { backupFolder, checkedBackup, listBackups, openBackups, restoreBackup, restoreIfAsked } from './backups.ts'
import { SCHEMA } from './migrate.ts'
import { openStore, type Store } from './store.ts'

let dataDir: string
let url: string
let store: Store
let clock: number
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-backups-'))
  url = `sqlite:${join(dataDir, 'agent_system.db')}`
  store = await openStore(url)
  clock = Date.parse('2026-01-01T00:00:00Z')
})
afterEach(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const tick = () => {
  clock += 1_000
  return clock
}
const backups = (keep = 7) =>
  openBackups({
    databaseUrl: url,
    dataDir,
    schema: SCHEMA,
    copy: store.backup,
    path: process.env.PATH,
    everyHours: 0,
    keep,
    now: tick,
    onError: (error) => {
      throw error
    },
  })
const put = (key: string) => store.transact(async (tx) => void (await tx.db.insertInto('meta').values({ key, value: 'x' }).execute()))
const keys = async () =>
  (await store.db.selectFrom('meta').select('key').where('key', 'like', 'k%').orderBy('key').execute()).map((row) => row.key)

describe('a backup', () => {
  it('is made while the database is in use, and holds what was committed', async () => {
    const { make, close } = await backups()
    await put('k1')
    const made = make('by-hand')
    await put('k2')
    const { file, schema, bytes } = await made
    expect({ schema, big: bytes > 10_000 }).toEqual({ schema: SCHEMA, big: true })
    const copy = await openStore(`sqlite:${join(backupFolder(dataDir), file)}`)
    expect((await copy.db.selectFrom('meta').select('key').where('key', '=', 'k1').execute()).length).toBe(1)
    await copy.close()
    await close()
  })

  it('is looked through, and remembers when that was and what was found', async () => {
    const { make, check, list, close } = await backups()
    const { file, checked } = await make('by-hand')
    expect(checked).toBe(null)
    expect((await check(file)).checked).toEqual({ at: new Date(clock).toISOString(), problem: null })
    expect((await list())[0]!.checked?.problem).toBe(null)
    appendFileSync(join(backupFolder(dataDir), file), 'x')
    expect((await check(file)).checked?.problem).toBe('its checksum differs')
    expect((await list())[0]!.checked?.problem).toBe('its checksum differs')
    await expect(check('none.db')).rejects.toThrow(/There is no backup/)
    await close()
  })

  it('that is no database inside is found out, though its checksum is right', async () => {
    const { make, check, close } = await backups()
    const { file } = await make('by-hand')
    const path = join(backupFolder(dataDir), file)
    writeFileSync(path, 'no database at all, but as long as one may be')
    const manifest = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as object
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
    writeFileSync(`${path}.json`, JSON.stringify({ ...manifest, sha256 }))
    expect((await check(file)).checked?.problem).toMatch(/not a database/)
    await close()
  })

  it('is put back, and what it replaces is kept', async () => {
    const { make, close } = await backups()
    await put('k1')
    const { file } = await make('by-hand')
    await put('k2')
    await close()
    await store.close()
    await restoreBackup(url, backupFolder(dataDir), file, tick())
    store = await openStore(url)
    expect(await keys()).toEqual(['k1'])
    const replaced = (await listBackups(backupFolder(dataDir))).find((one) => one.why === 'replaced')!
    await store.close()
    await restoreBackup(url, backupFolder(dataDir), replaced.file, tick())
    store = await openStore(url)
    expect(await keys()).toEqual(['k1', 'k2'])
  })

  it('that a running system was asked for is put back at the next start, once', async () => {
    const { make, askRestore, close } = await backups()
    await put('k1')
    const { file } = await make('by-hand')
    await put('k2')
    await askRestore(file)
    await close()
    await store.close()
    expect((await restoreIfAsked(url, dataDir, tick()))?.file).toBe(file)
    expect(await restoreIfAsked(url, dataDir, tick())).toBeNull()
    store = await openStore(url)
    expect(await keys()).toEqual(['k1'])
  })

  it('with a changed byte is refused, and the database stays as it is', async () => {
    const { make, askRestore, close } = await backups()
    const { file } = await make('by-hand')
    await put('k1')
    appendFileSync(join(backupFolder(dataDir), file), 'x')
    await expect(askRestore(file)).rejects.toThrow(/is damaged \(its checksum differs\)/)
    await close()
    await store.close()
    await expect(restoreBackup(url, backupFolder(dataDir), file, clock)).rejects.toThrow(/damaged/)
    store = await openStore(url)
    expect(await keys()).toEqual(['k1'])
  })

  it('is put back in place of a file that is no database any more', async () => {
    const { make, close } = await backups()
    await put('k1')
    const { file } = await make('by-hand')
    await close()
    await store.close()
    for (const end of ['', '-wal', '-shm']) rmSync(`${url.slice(7)}${end}`, { force: true })
    writeFileSync(url.slice(7), 'garbage '.repeat(10_000))
    await restoreBackup(url, backupFolder(dataDir), file, tick())
    store = await openStore(url)
    expect(await keys()).toEqual(['k1'])
  })

  it('whose name leads elsewhere is not there', async () => {
    await expect(checkedBackup(backupFolder(dataDir), '../agent_system.db')).rejects.toThrow(/There is no backup/)
  })

  it('without a whole manifest does not count', async () => {
    const { make, close } = await backups()
    const { file } = await make('by-hand')
    writeFileSync(join(backupFolder(dataDir), `${file}.json`), '{"file": "')
    expect(await listBackups(backupFolder(dataDir))).toEqual([])
    await close()
  })

  it('that the keeper left without a manifest counts as soon as it is looked for, and can be put back', async () => {
    const { make, close } = await backups()
    await put('k1')
    const { file } = await make('by-hand')
    const folder = backupFolder(dataDir)
    copyFileSync(join(folder, file), join(folder, '2026-03-04T05-06-07-089Z-before-change.db'))
    copyFileSync(join(folder, file), join(folder, 'by-somebody.db'))
    const found = await listBackups(folder)
    expect(found.map((one) => [one.at, one.why, one.schema])).toEqual([
      ['2026-03-04T05:06:07.089Z', 'before-change', SCHEMA],
      ['2026-01-01T00:00:01.000Z', 'by-hand', SCHEMA],
    ])
    expect((await checkedBackup(folder, found[0]!.file)).backup).toEqual(found[0])
    await close()
  })

  it('gives way to newer ones of its kind', async () => {
    const { make, close } = await backups(2)
    for (const why of ['daily', 'daily', 'by-hand', 'daily']) await make(why)
    expect((await listBackups(backupFolder(dataDir))).map((one) => one.why)).toEqual(['daily', 'by-hand', 'daily'])
    expect(readdirSync(backupFolder(dataDir))).toHaveLength(6)
    await close()
  })

  it('of PostgreSQL without pg_dump says what is missing', async () => {
    const { make } = await openBackups({
      databaseUrl: 'postgres://me:secret@127.0.0.1:9/db',
      dataDir,
      schema: SCHEMA,
      copy: store.backup,
      path: '/nonexistent',
      everyHours: 0,
      keep: 1,
      now: () => clock,
      onError: () => undefined,
    })
    await expect(make('by-hand')).rejects.toThrow(/pg_dump, which is not installed here/)
  })
})
