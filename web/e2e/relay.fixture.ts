/** A wire between a browser and an engine that a test cuts, lets fall silent, or makes slow. Nothing else is changed on the way. */

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

export type Relay = Awaited<ReturnType<typeof openRelay>>

/** Listens at once; `to` says which port of this machine it leads to. */
export async function openRelay() {
  let target = 0
  let way: 'open' | 'cut' | 'silent' = 'open'
  /** Bytes a second towards the browser; null is as fast as it goes. */
  let pace: number | null = null
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer((browser) => {
    if (way === 'cut') return void browser.destroy()
    const engine = connect(target, '127.0.0.1')
    const pair: [Socket, Socket] = [browser, engine]
    pairs.add(pair)
    browser.on('data', (chunk) => way !== 'silent' && engine.write(chunk))
    engine.on('data', (chunk) => {
      if (way === 'silent') return
      if (!browser.write(chunk)) {
        engine.pause()
        browser.once('drain', () => engine.resume())
      }
      if (pace === null) return
      engine.pause()
      setTimeout(() => engine.resume(), (chunk.byteLength / pace) * 1_000)
    })
    const end = () => {
      pairs.delete(pair)
      browser.destroy()
      engine.destroy()
    }
    for (const one of pair) one.on('close', end).on('error', end)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const cut = () => {
    for (const pair of pairs) for (const one of pair) one.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (port: number) => {
      target = port
    },
    /** Every connection breaks and none can be made. */
    cut: () => {
      way = 'cut'
      cut()
    },
    /** Connections stay, but nothing comes through any more: what a machine that sleeps leaves behind. */
    silence: () => {
      way = 'silent'
    },
    /** New connections work. */
    mend: () => {
      way = 'open'
    },
    slow: (bytesPerSecond: number | null) => {
      pace = bytesPerSecond
    },
    close: () => {
      cut()
      return new Promise<void>((done) => server.close(() => done()))
    },
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((done) => server.close(() => done()))
  return port
}
