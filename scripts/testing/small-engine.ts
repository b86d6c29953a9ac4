/**
 * The least that a keeper can run, for proofs in a small checkout: it answers /health, serves its page, beats, and restarts when something is asked of the
 * keeper. A revision whose greeting ends in a question mark crashes once it may work.
 */
import { existsSync, readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { revision: { type: 'string' } }, strict: false })
const request = new URL('../../../request.json', import.meta.url)
const send = (message: object): void => void process.send?.(message)
const leave = (how: 'stop' | 'restart'): void => {
  process.send?.({ type: 'stopping', how }, () => process.exit(how === 'stop' ? 0 : 75))
}
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => leave('stop'))
const greeting = (await import(new URL('../core/contract/greeting.ts', import.meta.url).href)) as { loud?: (name: string) => string }
process.on('message', (message: { type?: string }) => {
  if (message.type !== 'accepted') return
  if (greeting.loud?.('x').endsWith('?')) process.exit(3)
  let n = 0
  setInterval(() => send({ type: 'heartbeat', n: ++n, ended: 0 }), 100)
  setInterval(() => existsSync(request) && leave('restart'), 50)
})
const page = new URL('../web/dist/index.html', import.meta.url)
const server = http.createServer((request, reply) => {
  if (request.url === '/' && existsSync(page)) reply.end(readFileSync(page))
  else reply.end(JSON.stringify({ status: 'ok', revision: values.revision, schema: 1 }))
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`http://127.0.0.1:${port}/`)
  send({ type: 'ready', url: `http://127.0.0.1:${port}`, schema: 1, oldestCode: 1 })
})
