/**
 * Which addresses of the web an agent may reach. Pure. A URL is judged twice: as it is written (`siteOf`), and, once its name is resolved,
 * each address that could be dialled (`refusedAddress`). Only addresses of the public internet pass; what is not known to be public is refused.
 */
import { BlockList, isIP } from 'node:net'
import { Fault } from '../contract/fault.ts'

export type Address = { address: string; family: 4 | 6 }
/** A place on the web: who is asked, at which port, and whether its name is already an address. */
export type Site = { url: URL; host: string; port: number; literal: Address | null }

export const WEB_PORTS: readonly number[] = [80, 443, 8080, 8443]
const LONGEST_URL = 2_048

/** RFC 6890 and its updates: everything of IPv4 that is not the public internet. */
const INSIDE_V4: readonly (readonly [net: string, bits: number, what: string])[] = [
  ['0.0.0.0', 8, 'this machine'],
  ['10.0.0.0', 8, 'a private network'],
  ['100.64.0.0', 10, "a provider's inner network"],
  ['127.0.0.0', 8, 'this machine'],
  ['169.254.0.0', 16, 'the local link, where clouds keep their metadata'],
  ['172.16.0.0', 12, 'a private network'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved for documentation'],
  ['192.31.196.0', 24, 'reserved'],
  ['192.52.193.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'a relay to IPv6'],
  ['192.168.0.0', 16, 'a private network'],
  ['192.175.48.0', 24, 'reserved'],
  ['198.18.0.0', 15, 'a network for benchmarks'],
  ['198.51.100.0', 24, 'reserved for documentation'],
  ['203.0.113.0', 24, 'reserved for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  // Public by number, and answered by the cloud's own host: Azure's and Alibaba's metadata.
  ['168.63.129.16', 32, "a cloud's metadata service"],
  ['100.100.100.200', 32, "a cloud's metadata service"],
]
/** Parts of 2000::/3 that are no public host. Everything outside 2000::/3 is refused whole: mapped, NAT64, local, link, multicast. */
const INSIDE_V6: readonly (readonly [net: string, bits: number, what: string])[] = [
  ['2001::', 23, 'reserved, tunnels among it'],
  ['2001:db8::', 32, 'reserved for documentation'],
  ['2002::', 16, 'a tunnel to an IPv4 address'],
  ['2620:4f:8000::', 48, 'reserved'],
  ['3fff::', 20, 'reserved for documentation'],
]
const listOf = (net: string, bits: number, family: 'ipv4' | 'ipv6') => {
  const list = new BlockList()
  list.addSubnet(net, bits, family)
  return list
}
const RULES_V4 = INSIDE_V4.map(([net, bits, what]) => ({ list: listOf(net, bits, 'ipv4'), what }))
const RULES_V6 = INSIDE_V6.map(([net, bits, what]) => ({ list: listOf(net, bits, 'ipv6'), what }))
const GLOBAL_V6 = listOf('2000::', 3, 'ipv6')

/** Why an address may not be dialled, in a few words, or null for one of the public internet. */
export function refusedAddress(address: string): string | null {
  const family = isIP(address)
  if (family === 0) return 'no address'
  if (family === 4) return RULES_V4.find(({ list }) => list.check(address, 'ipv4'))?.what ?? null
  if (address.includes('%')) return 'bound to one link of this machine'
  if (!GLOBAL_V6.check(address, 'ipv6')) return 'outside the public part of IPv6'
  return RULES_V6.find(({ list }) => list.check(address, 'ipv6'))?.what ?? null
}

/** Names that by their definition mean something inside, whatever a resolver says. */
const INSIDE_NAME = /(^|\.)(localhost|local|localdomain|internal|intranet|private|corp|home|lan|onion|home\.arpa)$/

/**
 * Reads a URL as a place that may be asked, or a Fault that says what is wrong with it. The parser is the one of the URL standard, so every
 * spelling of an IPv4 address (decimal, octal, hexadecimal, short, wide digits) is already the address here.
 */
export function siteOf(raw: string | URL, ports: readonly number[] = WEB_PORTS): Site {
  const text = typeof raw === 'string' ? raw.trim() : raw.href
  if (text.length > LONGEST_URL) throw new Fault('invalid', `The address is longer than ${LONGEST_URL} characters; use a shorter one.`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x00-\x20\x7f\\]/.test(text))
    throw new Fault('invalid', 'The address holds a space, a backslash or a control character; write it percent-encoded.')
  const url = URL.parse(text)
  if (!url) throw new Fault('invalid', `${shown(text)} is not a whole address; it begins with https:// or http:// and a host.`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Fault('forbidden', `Only http and https addresses are fetched, not ${shown(url.protocol)}`)
  if (url.username !== '' || url.password !== '')
    throw new Fault(
      'forbidden',
      'The address holds a login before "@"; such addresses are not fetched. Remove that part if it is not needed.',
    )
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  if (!ports.includes(port)) throw new Fault('forbidden', `Port ${port} is not one of the web; ${ports.join(', ')} are fetched.`)
  const family = isIP(host)
  if (family === 0) {
    if (!host.includes('.') || host.split('.').includes('') || INSIDE_NAME.test(host))
      throw new Fault('forbidden', `${shown(host)} is a name of an inner network, not of the public web; it is not fetched.`)
    return { url, host, port, literal: null }
  }
  const why = refusedAddress(host)
  if (why) throw new Fault('forbidden', `${host} is not on the public web (${why}); it is not fetched.`)
  return { url, host, port, literal: { address: host, family: family as 4 | 6 } }
}

/** The addresses of a name, all of them public, or a Fault: a name of which one address is inside is refused whole. */
export function checkedAddresses(host: string, found: readonly { address: string; family: number }[]): Address[] {
  if (found.length === 0) throw new Fault('not_found', `${host} has no address; check how it is spelled.`)
  return found.map(({ address }) => {
    const why = refusedAddress(address)
    if (why) throw new Fault('forbidden', `${host} leads to ${address}, which is not on the public web (${why}); it is not fetched.`)
    return { address, family: isIP(address) as 4 | 6 }
  })
}

const shown = (text: string) => (text.length > 120 ? `${text.slice(0, 120)}…` : text)
