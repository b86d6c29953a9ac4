import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { safeName } from '../agent/uploads.ts'
import type { ResponseOf } from '../contract/api.ts'
import { internet, pages } from '../web/fixture/internet.ts'
import { engine, type Running } from './fixture/engine.ts'

let server: Running
beforeAll(async () => {
  server = await engine()
})
afterAll(() => server.stop())

const send = (name: string, content: string) =>
  server.ask<ResponseOf<'addUpload'>>('POST', `/api/uploads?name=${encodeURIComponent(name)}`, new Uint8Array(Buffer.from(content)))
const waiting = () => readdir(join(server.folder, 'uploads')).then((names) => names.sort())

describe('files that come with a goal', () => {
  test('are there under safe names before anything runs, and the first prompt lists them', async () => {
    const one = await send('../../data.csv', 'a,b\n1,2\n')
    expect(one.status, one.text).toBe(201)
    expect(one.json).toMatchObject({ name: 'data.csv', bytes: 8, type: 'text/plain; charset=utf-8' })
    const two = await send('data.csv', 'x\n')
    const { json } = await server.submit('Run `cat data.csv "data (2).csv"`', { attachments: [one.json.id, two.json.id] })
    const tree = await server.over(json.treeId)
    expect(tree.status, tree.result ?? '').toBe('done')
    expect(tree.result).toContain('a,b\n1,2\nx')
    const { items } = (await server.ask<ResponseOf<'messages'>>('GET', `/api/tasks/${json.treeId}/messages`)).json
    expect(items[1]).toMatchObject({ n: 2, role: 'user', from: 'system' })
    expect(JSON.stringify(items[1])).toContain('- data (2).csv (text/plain, 2 bytes)')
    expect(await waiting()).not.toContain(`for-${json.treeId}`)
  })

  test('survive a restart between sending and submitting', async () => {
    const { json } = await send('kept.txt', 'kept\n')
    await server.restart()
    const goal = await server.submit('Run `cat kept.txt`', { attachments: [json.id] })
    expect((await server.over(goal.json.treeId)).result).toContain('kept')
  })

  test('that are not there are named, and nothing is submitted', async () => {
    const refused = await server.submit('Run `true`', { attachments: ['0123'] })
    expect(refused.status).toBe(400)
    expect(refused.json.detail).toContain('There is no file 0123 to attach; send it again')
  })

  test('are removed by whoever sent them', async () => {
    const { json } = await send('gone.txt', 'gone')
    expect((await server.ask('DELETE', `/api/uploads/${json.id}`)).status).toBe(204)
    expect((await server.ask('DELETE', `/api/uploads/${json.id}`)).status).toBe(404)
    expect(await waiting()).not.toContain(json.id)
  })

  test('may be fetched from the web, where only public addresses are asked', async () => {
    const net = await internet({ 'site.example': pages({ '/rows.csv': 'a,b\n7,8\n' }) })
    const { resolve, route } = net
    const online = await engine({}, undefined, { web: { resolve, route } })
    try {
      const from = (url: string, more: object = {}) =>
        online.ask<ResponseOf<'fetchUpload'>>('POST', '/api/uploads/from-url', { url, ...more })
      const { status, json } = await from('http://site.example/rows.csv')
      expect([status, json]).toEqual([201, expect.objectContaining({ name: 'rows.csv', bytes: 8, type: 'text/plain; charset=utf-8' })])
      expect((await from('http://site.example/rows.csv', { name: '../mine.csv' })).json.name).toBe('mine.csv')
      const goal = await online.submit('Run `cat rows.csv`', { attachments: [json.id] })
      expect((await online.over(goal.json.treeId)).result).toContain('7,8')
      const inside = await from('http://127.0.0.1/api/system')
      expect([inside.status, inside.json.detail]).toEqual([403, expect.stringContaining('127.0.0.1')])
      expect((await from('http://site.example/none')).status).toBe(404)
    } finally {
      await online.stop()
      await net.end()
    }
  })

  test('of which a crash left only a part are swept, and so is the folder of a goal that never came to be', async () => {
    const uploads = join(server.folder, 'uploads')
    const stray = join(server.folder, 'workspaces', 'neverborn')
    await mkdir(stray, { recursive: true })
    await mkdir(uploads, { recursive: true })
    for (const name of ['abc.part', 'abd', 'for-neverborn', 'fresh.part']) await writeFile(join(uploads, name), 'x')
    for (const name of ['abc.part', 'abd', 'for-neverborn']) await utimes(join(uploads, name), 1, 1)
    await server.restart()
    await server.restart() // the first one's sweep is awaited by its end
    const left = await waiting()
    expect(left).toContain('fresh.part')
    for (const name of ['abc.part', 'abd', 'for-neverborn']) expect(left).not.toContain(name)
    await expect(stat(stray)).rejects.toThrow('ENOENT')
  })

  test('the same key with the same files finds the same goal, and leaves no second folder', async () => {
    const { json } = await send('k.txt', 'k')
    const key = { 'idempotency-key': 'with-files' }
    const first = await server.submit('Run `cat k.txt`', { attachments: [json.id] }, key)
    const folders = await readdir(join(server.folder, 'workspaces'))
    expect((await server.submit('Run `cat k.txt`', { attachments: [json.id] }, key)).json.treeId).toBe(first.json.treeId)
    expect(await readdir(join(server.folder, 'workspaces'))).toEqual(folders)
    expect((await server.submit('Run `cat k.txt`', {}, key)).status).toBe(422)
  })

  test.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\x\\report.docx', 'report.docx'],
    ['.bashrc', 'bashrc'],
    ['..', 'file'],
    ['a\u202etxt.exe', 'atxt.exe'],
    ['a\nb\u0007.txt', 'ab.txt'],
    ['-rf', 'rf'],
    [`${'ä'.repeat(200)}.txt`, `${'ä'.repeat(58)}.txt`],
    ['$(touch x)`y`.txt', '_(touch x)_y_.txt'],
  ])('%j is kept as %j', (given, kept) => {
    expect(safeName(given)).toBe(kept)
  })
})

describe('a goal that says who answers and what is asked', () => {
  test('a model that is not there is refused with the setting that it needs', async () => {
    const refused = await server.submit('Do it', { model: 'anthropic/claude-sonnet-5-5' })
    expect([refused.status, refused.json.detail]).toEqual([400, expect.stringContaining('needs ANTHROPIC_API_KEY')])
  })

  test('keeps its words: they are told with the goal', async () => {
    const { json } = await server.submit('Run `true`', { model: 'playbook', approval: 'run_free', priority: 7 })
    expect(await server.over(json.treeId)).toMatchObject({ model: 'playbook', approval: 'run_free', status: 'done' })
  })

  test('brings rules of its own, which hold before anything runs, for it alone, and when it is given again', async () => {
    const rules = [{ verdict: 'deny' as const, scope: 'program' as const, signature: 'printf' }]
    const { json } = await server.submit('Run `printf ruled`', { rules })
    const tree = await server.over(json.treeId)
    expect([tree.status, tree.result]).toEqual(['failed', expect.not.stringContaining('ruled\n')])
    const listed = await server.ask<ResponseOf<'rules'>>('GET', '/api/rules')
    expect(listed.json.items).toMatchObject([{ ...rules[0], treeId: json.treeId }])
    const other = await server.submit('Run `printf free`')
    expect((await server.over(other.json.treeId)).status).toBe('done')
    const again = await server.ask<ResponseOf<'fork'>>('POST', `/api/trees/${json.treeId}/fork`)
    expect((await server.over(again.json.treeId)).status).toBe('failed')
  })

  test('with `ask_all` a command that the person typed waits for them too', async () => {
    const { json } = await server.submit('Run `echo asked`', { approval: 'ask_all' })
    const review = await server.asked(json.treeId)
    expect(review).toMatchObject({ kind: 'permission', reason: 'everything is asked about in this goal', offers: [] })
    await server.decide(review, 'approve')
    expect((await server.over(json.treeId)).result).toContain('asked')
  })
})

test('what a rerun would touch is told before it, and nothing is touched by telling', async () => {
  const { json } = await server.submit('Run `echo x > made.txt`')
  await server.over(json.treeId)
  const told = async (from: number) =>
    (await server.ask<ResponseOf<'rerunPreview'>>('GET', `/api/tasks/${json.treeId}/rerun?from=${from}`)).json
  expect(await told(1)).toEqual({ files: ['made.txt'], stops: [], replaces: 'instruction' })
  expect(await told(1_000)).toEqual({ files: [], stops: [], replaces: null })
  expect((await server.tree(json.treeId)).status).toBe('done')
})

test('a rerun with other words does those; a model that there is not is refused before anything changes', async () => {
  const { json } = await server.submit('Run `echo first`')
  await server.over(json.treeId)
  const rerun = (body: object) => server.ask<{ status: string }>('POST', `/api/tasks/${json.treeId}/rerun`, body)
  expect((await rerun({ from: 1, message: 'Run `echo second`', model: 'nowhere/x' })).status).toBe(400)
  expect((await server.tree(json.treeId)).status).toBe('done')
  expect((await rerun({ from: 1, message: 'Run `echo second`', model: 'playbook' })).json).toMatchObject({ status: 'pending' })
  const done = await server.over(json.treeId)
  expect(done.result).toContain('second')
  expect(done.result).not.toContain('first')
})
