import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UPLOAD_LIMIT } from '../contract/api.ts'
import { workspaceFiles } from '../exec/files.ts'
import { type Server, serve, TOKEN } from './fixture/serve.ts'

let server: Server
let tree: string
let folder: string
beforeAll(async () => {
  server = await serve()
  tree = await server.goal()
  folder = server.folderOf(tree)
  await mkdir(folder, { recursive: true })
})
afterAll(() => server.stop())

const at = (path: string, id = tree) => `/api/trees/${id}/files?path=${encodeURIComponent(path)}`
const put = (path: string, body: Buffer, headers = {}) =>
  server.ask('PUT', at(path), { body, headers: { 'content-type': 'application/octet-stream', ...headers } })
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

describe('a file', () => {
  test('is sent, listed, fetched as an attachment, and the sending is undone', async () => {
    const sent = await put('in/notes ü.txt', Buffer.from('hello\n'))
    expect(sent.status, sent.text).toBe(200)
    expect(sent.json).toEqual({ path: 'in/notes ü.txt', bytes: 6, type: 'text/plain; charset=utf-8', created: true, undoable: true })
    expect(((await server.ask('GET', `${at('')}&depth=3`)).json as { items: unknown[] }).items).toContainEqual({
      path: 'in/notes ü.txt',
      kind: 'file',
      bytes: 6,
    })
    const got = await server.ask('GET', at('in/notes ü.txt'))
    expect(got.text).toBe('hello\n')
    expect(got.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '6',
      'x-content-type-options': 'nosniff',
      'content-disposition': `attachment; filename="notes _.txt"; filename*=UTF-8''notes%20%C3%BC.txt`,
    })
    const changes = (await server.ask('GET', `/api/tasks/${tree}/files`)).json as { items: { callId: string; what: string; by: string }[] }
    expect(changes.items).toMatchObject([{ path: 'in/notes ü.txt', what: 'made', by: 'owner', whyNot: null }])
    const undone = await server.ask('POST', `/api/tasks/${tree}/files/undo`, { body: { callId: changes.items[0]!.callId } })
    expect(undone.json).toMatchObject({ files: [{ path: 'in/notes ü.txt', what: 'removed' }], conflicts: [] })
    expect((await server.ask('GET', at('in/notes ü.txt'))).status).toBe(404)
  })

  test.each([
    ['a picture', PNG, 'image/png'],
    ['HTML under the name of a picture', Buffer.from('<html><script>alert(1)</script>'), 'text/plain; charset=utf-8'],
    ['SVG', Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'), 'text/plain; charset=utf-8'],
    ['bytes of no kind', Buffer.from([0, 1, 2, 255, 254]), 'application/octet-stream'],
    ['a PDF', Buffer.from('%PDF-1.7\n%abc'), 'application/pdf'],
    ['nothing', Buffer.alloc(0), 'text/plain; charset=utf-8'],
  ])('that is %s is typed by what it holds', async (_, body, type) => {
    expect((await put('picture.png', body)).json).toMatchObject({ type, bytes: body.length })
    const got = await server.ask('GET', at('picture.png'))
    expect(got.status).toBe(200)
    expect(got.headers['content-type']).toBe(type)
    expect(got.headers['content-disposition']).toMatch(/^attachment;/)
  })

  test('HEAD tells its size without its content', async () => {
    await writeFile(join(folder, 'a.txt'), 'abc')
    const got = await server.ask('HEAD', at('a.txt'))
    expect([got.status, got.headers['content-length'], got.text]).toEqual([200, '3', ''])
  })
})

describe('what is refused', () => {
  test.each([
    ['a way out', '../x', 403],
    ['an absolute path', '/etc/passwd', 403],
    ['a link out', 'out/passwd', 403],
    ['a link that is a file', 'passwd', 403],
    ['a NUL', 'a\0b', 400],
    ['a pipe of Windows', 'a\\b', 400],
  ])('%s', async (_, path, status) => {
    await symlink('/etc', join(folder, 'out')).catch(() => undefined) // made by the row before
    await symlink('/etc/passwd', join(folder, 'passwd')).catch(() => undefined) // made by the row before
    expect((await server.ask('GET', at(path))).status).toBe(status)
    expect((await put(path, Buffer.from('x'))).status).toBe(status)
  })
  test('a folder in the place of a file, a goal that is not there, a task that is no goal, nobody', async () => {
    await mkdir(join(folder, 'dir'), { recursive: true })
    expect((await put('dir', Buffer.from('x'))).status).toBe(400)
    expect((await server.ask('GET', at('x', 'nope'))).status).toBe(404)
    expect((await server.ask('GET', at('x'), { headers: { authorization: undefined } })).status).toBe(401)
    expect((await put('x', Buffer.from('x'), { authorization: undefined })).status).toBe(401)
    expect((await server.ask('POST', `/api/tasks/${tree}/files/undo`, { body: { callId: 'nope' } })).status).toBe(404)
  })

  test('more than the limit: at once when it was announced, on the way when it was not; nothing of it stays', async () => {
    const send = (headers: object, bytes: number) =>
      new Promise<number>((resolve, reject) => {
        const req = request(
          { port: server.port, method: 'PUT', path: at('huge'), headers: { authorization: `Bearer ${TOKEN}`, ...headers } },
          (answer) => {
            answer.resume()
            answer.on('end', () => resolve(answer.statusCode!))
          },
        )
        req.on('error', reject)
        const chunk = Buffer.alloc(1_000_000)
        let left = bytes
        const more = () => {
          while (left > 0) {
            left -= chunk.length
            if (!req.write(chunk)) return void req.once('drain', more)
          }
          req.end()
        }
        more()
      })
    expect(
      await send({ 'content-length': String(UPLOAD_LIMIT + 1_000_000) }, UPLOAD_LIMIT + 1_000_000).catch(
        (e: NodeJS.ErrnoException) => e.code,
      ),
    ).toSatisfy((seen) => seen === 413 || seen === 'ECONNRESET' || seen === 'EPIPE')
    expect(await send({ 'transfer-encoding': 'chunked' }, UPLOAD_LIMIT + 20_000_000)).toBe(413)
    expect(await readdir(folder)).not.toContain('huge')
  })

  test('an undo of what somebody changed since leaves it and says so', async () => {
    const files = workspaceFiles(folder)
    await server.history.writing(
      { treeId: tree, taskId: tree, callId: 'call-1' },
      folder,
      'mine.txt',
      { data: 'mine', append: false },
      () => files.write('mine.txt', 'mine'),
    )
    await writeFile(join(folder, 'mine.txt'), 'theirs')
    const undone = await server.ask('POST', `/api/tasks/${tree}/files/undo`, { body: { callId: 'call-1' } })
    expect(undone.json).toEqual({
      id: null,
      files: [],
      already: 0,
      conflicts: [{ path: 'mine.txt', why: 'it was changed since, and nobody noted by whom' }],
    })
    expect(await readFile(join(folder, 'mine.txt'), 'utf8')).toBe('theirs')
  })
})

test('a rerun with restoreFiles puts back what the calls from there on did, tells what it left, and lets the task go on', async () => {
  const id = await server.goal('Write.')
  const mine = server.folderOf(id)
  await mkdir(mine, { recursive: true })
  const files = workspaceFiles(mine)
  for (const [callId, n, path] of [
    ['k1', 1, 'kept'],
    ['k3', 3, 'later'],
    ['k3', 3, 'theirs'],
  ] as const) {
    const row = {
      id: `${id}.${callId}`,
      task_id: id,
      n,
      tool: 'write_file',
      input: '{}',
      state: 'ended',
      effect: 'idempotent',
      attempts: 1,
      approved: 0,
    }
    await server.store.transact((tx) =>
      tx.db
        .insertInto('calls')
        .values(row)
        .onConflict((c) => c.doNothing())
        .execute(),
    )
    await server.history.writing({ treeId: id, taskId: id, callId: row.id }, mine, path, { data: 'agent', append: false }, () =>
      files.write(path, 'agent'),
    )
  }
  await writeFile(join(mine, 'theirs'), 'person')
  await server.ask('POST', `/api/tasks/${id}/steer`, { body: { message: 'two' } })
  const answer = await server.ask('POST', `/api/tasks/${id}/rerun`, { body: { from: 2, restoreFiles: true, message: 'Anew.' } })
  expect(answer.json).toMatchObject({ status: 'pending' })
  expect((await readdir(mine)).sort()).toEqual(['kept', 'theirs'])
  const said = (await server.tasks.messages(id)).map((m) => ('text' in m ? m.text : ''))
  expect(said.at(-1)).toBe(
    'Files were put back to what they were before that message, but these were left as they are:\n- theirs: it was changed since, and nobody noted by whom',
  )
  expect((await server.ask('POST', `/api/tasks/${id}/rerun`, { body: { from: 99, restoreFiles: true } })).status).toBe(400)
})
