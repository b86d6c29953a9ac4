import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { serve } from './fixture/serve.ts'
import { listen } from './server.ts'

test('a port in use is named with who uses it and what to do', async () => {
  const first = await serve()
  const second = await serve()
  await expect(listen(second.http, second.live, { host: '127.0.0.1', port: first.port })).rejects.toThrow(
    `Port ${first.port} is in use (by another Banyan, revision r1); set PORT=${first.port + 1} or stop the other program.`,
  )
  const stranger = createServer((_, response) => response.end('hello'))
  await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done))
  const { port } = stranger.address() as AddressInfo
  await expect(listen(second.http, second.live, { host: '127.0.0.1', port })).rejects.toThrow(
    `Port ${port} is in use (by another program); set PORT=`,
  )
  stranger.close()
  await first.stop()
  await second.stop()
})

test('an address that is not of this machine is named', async () => {
  const server = await serve()
  await expect(listen(server.http, server.live, { host: '192.0.2.1', port: 0 })).rejects.toThrow(
    'HOST 192.0.2.1 is not an address of this machine',
  )
  await server.stop()
})

test('closing takes no new connections and ends idle ones at once', async () => {
  const server = await serve()
  await server.ask('GET', '/health')
  const before = performance.now()
  await server.stop()
  expect(performance.now() - before).toBeLessThan(3_000)
  await expect(server.ask('GET', '/health')).rejects.toThrow('ECONNREFUSED')
})
