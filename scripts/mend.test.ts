import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { Fault } from '../core/contract/fault.ts'
import { mendOf } from './mend.ts'

const where = { host: '127.0.0.1', port: 80, dataDir: '/somewhere', databaseUrl: 'sqlite:/somewhere/agent_system.db' }
const errno = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more })

it('a port in use, as the real server says it', async () => {
  const first = createServer().listen(0, '127.0.0.1')
  await once(first, 'listening')
  const { port } = first.address() as { port: number }
  const [error] = await once(createServer().listen(port, '127.0.0.1'), 'error').catch((e) => [e])
  expect(mendOf(error, { ...where, port })).toBe(
    `port ${port} on 127.0.0.1 is already in use: stop what listens there, or set PORT to a free one.`,
  )
  first.close()
})

it('a data directory that is a file, as the real file system says it', () => {
  let error: unknown
  try {
    mkdirSync(import.meta.filename, { recursive: true })
  } catch (e) {
    error = e
  }
  expect(mendOf(error, where)).toMatch(/mend\.test\.ts is not a folder \(EEXIST\)/)
})

it.each([
  ['EROFS', 'is read-only'],
  ['SQLITE_READONLY_DIRECTORY', 'is read-only'],
  ['ENOSPC', 'is full'],
  ['SQLITE_FULL', 'is full'],
  ['SQLITE_CANTOPEN', 'cannot be opened'],
  ['SQLITE_NOTADB', 'restore it from a backup'],
  ['SQLITE_IOERR_WRITE', 'failed or is full'],
  ['EACCES', 'change its owner or rights'],
])('%s names the cause and the mend in one sentence', (code, words) => {
  const sentence = mendOf(errno(code), where)
  expect(sentence).toContain(words)
  expect(sentence).toContain('/somewhere')
  expect(sentence).not.toContain('\n')
})

it('a cause below the error is found, a Fault speaks for itself, and a bug has no sentence', () => {
  expect(mendOf(new Error('outer', { cause: errno('ENOSPC') }), where)).toContain('is full')
  expect(mendOf(errno('ENOENT', { syscall: 'mkdir', path: '/ro/x' }), where)).toContain('/ro/x cannot be made')
  expect(mendOf(errno('ENOENT', { syscall: 'open', path: '/x' }), where)).toBeNull()
  expect(mendOf(new Fault('conflict', 'another one runs'), where)).toBe('another one runs')
  expect(mendOf(new TypeError('x is not a function'), where)).toBeNull()
})

it('a refused connection is blamed on PostgreSQL only where that is used', () => {
  expect(mendOf(errno('ECONNREFUSED'), where)).toBeNull()
  expect(mendOf(errno('ECONNREFUSED'), { ...where, databaseUrl: 'postgres://h/d' })).toContain('DATABASE_URL')
})
