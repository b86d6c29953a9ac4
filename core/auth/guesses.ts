/**
 * Slows down whoever guesses. Each client may fail ten times at once and then every six seconds; all clients behind one connection's address
 * together a hundred times and then once a second, since a header that tells them apart can be made up. In memory, for this process: a
 * restart forgives, and costs more than a guess.
 */
import { Fault } from '../contract/fault.ts'

export type Guesses = ReturnType<typeof openGuesses>
type Bucket = { left: number; at: number }

const [CLIENT_BURST, CLIENT_MS] = [10, 6_000]
const [PEER_BURST, PEER_MS] = [100, 1_000]
/** Clients that are remembered; the one that failed longest ago goes first. */
const MOST = 10_000

export function openGuesses(now: () => number) {
  const clients = new Map<string, Bucket>()
  const peers = new Map<string, Bucket>()

  const level = (bucket: Bucket | undefined, burst: number, ms: number): number =>
    bucket === undefined ? burst : Math.min(burst, bucket.left + (now() - bucket.at) / ms)
  function take(buckets: Map<string, Bucket>, key: string, burst: number, ms: number): void {
    const left = level(buckets.get(key), burst, ms) - 1
    buckets.delete(key)
    buckets.set(key, { left: Math.max(0, left), at: now() })
    for (const [old] of buckets) if (buckets.size > MOST) buckets.delete(old)
  }
  const waitMs = (caller: Caller): number =>
    Math.max(
      (1 - level(clients.get(caller.client), CLIENT_BURST, CLIENT_MS)) * CLIENT_MS,
      (1 - level(peers.get(caller.peer), PEER_BURST, PEER_MS)) * PEER_MS,
    )

  return {
    /** Refuses while the client has failed too often, whether or not its next guess would be right. */
    check(caller: Caller): void {
      const wait = waitMs(caller)
      if (wait <= 0) return
      const seconds = Math.ceil(wait / 1_000)
      throw new Fault('limited', `Too many logins failed from this address; try again in ${seconds} s.`, { retryAfterSeconds: seconds })
    },
    failed(caller: Caller): void {
      take(clients, caller.client, CLIENT_BURST, CLIENT_MS)
      take(peers, caller.peer, PEER_BURST, PEER_MS)
    },
  }
}

/** Where a request comes from. `peer`: the address of its connection; `client`: what a proxy on this machine says is behind it. */
export type Caller = { client: string; peer: string }

/** A forwarded address counts only if the connection comes from this machine, and then only the one that the nearest proxy wrote. */
export function callerOf(address: string | undefined, forwarded: string | undefined): Caller {
  const peer = network(address ?? 'unknown')
  const near = peer === '::1' || peer.startsWith('127.')
  const last = forwarded?.split(',').at(-1)?.trim()
  return { peer, client: near && last ? network(last.slice(0, 60)) : peer }
}

/** Whoever has one IPv6 address has its whole /64. */
function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!plain.includes(':') || plain === '::1') return plain
  const [head = ''] = plain.split('%')
  const [left = '', right] = head.split('::')
  const groups = left === '' ? [] : left.split(':')
  if (right !== undefined) {
    const tail = right === '' ? [] : right.split(':')
    while (groups.length + tail.length < 8) groups.push('0')
    groups.push(...tail)
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`
}
