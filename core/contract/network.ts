/** Which hosts a command may reach: how they are named, what a name covers, and what is told of their use. Pure. */

/** `host` in its one spelling: lower case, no dot at its end, IDN as punycode. `below`: every name below it, and not the name itself. */
export type AllowedHost = { host: string; below: boolean; port: number | null }
/** Without a port these two are meant. */
export const USUAL_PORTS: readonly number[] = [80, 443]
/** No others can be named: mail, shells and databases are not for commands. */
export const COMMAND_PORTS: readonly number[] = [80, 443, 8080, 8443]
export const MOST_HOSTS = 20

/** One try of a command to reach a host. */
export type Connection = {
  /** As asked for; of what cannot be read as a host, its first characters. */
  host: string
  port: number
  /** `refused`: not among its hosts, or no public address. `failed`: allowed, and nobody there answered. `cut`: a limit ended it. */
  verdict: 'ok' | 'refused' | 'failed' | 'cut'
  /** One sentence; null for `ok`. */
  why: string | null
  /** Bytes from the command, and to it. */
  up: number
  down: number
}
/** What a command did on the network. */
export type NetworkUse = {
  /** The first ones, in order; `total` counts all. */
  connections: Connection[]
  total: number
  up: number
  down: number
}
export const MOST_CONNECTIONS_TOLD = 200

/** Reads what an agent wrote, such as `registry.npmjs.org`, `*.example.org` or `github.com:443`; or says what is wrong with it. */
export function readHost(text: string): AllowedHost | string {
  const shape = /^(\*\.)?([a-z0-9\u0080-\uffff._-]+)(?::(\d{1,5}))?$/i.exec(text)
  if (!shape)
    return `"${shown(text)}" is no host; write a name such as "example.org", "*.example.org" or "example.org:443", without https://.`
  const host = canonicalHost(shape[2]!)
  if (host === null || /^[\d.]+$/.test(host))
    return `"${shown(text)}" is no name of a host on the internet; addresses in numbers are not taken.`
  if (!host.includes('.') || host.split('.').includes(''))
    return `"${shown(text)}" is no whole name; write it with its ending, such as "example.org".`
  const port = shape[3] === undefined ? null : Number(shape[3])
  if (port !== null && !COMMAND_PORTS.includes(port)) return `Port ${port} is not open to commands; ${COMMAND_PORTS.join(', ')} are.`
  return { host, below: shape[1] !== undefined, port }
}

/** The hosts, each once, in one spelling and order; or the first thing wrong with them. */
export function readHosts(texts: readonly string[]): AllowedHost[] | string {
  const read = texts.map(readHost)
  const wrong = read.find((one) => typeof one === 'string')
  if (wrong !== undefined) return wrong
  const hosts = new Map((read as AllowedHost[]).map((one) => [writeHost(one), one]))
  return [...hosts.keys()].sort().map((text) => hosts.get(text)!)
}

export const writeHost = ({ host, below, port }: AllowedHost): string => `${below ? '*.' : ''}${host}${port === null ? '' : `:${port}`}`
/** The name without its port, as rules for hosts see it. */
export const hostPattern = ({ host, below }: AllowedHost): string => (below ? `*.${host}` : host)

export const allowsHost = (allowed: readonly AllowedHost[], host: string, port: number): boolean =>
  allowed.some(
    (one) =>
      (one.below ? host.endsWith(`.${one.host}`) : host === one.host) &&
      (one.port === null ? USUAL_PORTS.includes(port) : port === one.port),
  )

/** Whether a rule for `name` and what lies below it speaks of `pattern`, which may be `*.name`: any overlap counts. */
export function concernsHost(pattern: string, name: string): boolean {
  const rule = canonicalHost(name.trim().replace(/^\*?\./, '')) ?? name
  const below = pattern.startsWith('*.')
  const host = below ? pattern.slice(2) : pattern
  return host === rule || host.endsWith(`.${rule}`) || (below && rule.endsWith(`.${host}`))
}

/** As the URL standard spells it; null where it is no host. */
export function canonicalHost(text: string): string | null {
  const host = URL.parse(`https://${text}/`)?.hostname.replace(/\.$/, '') ?? ''
  return host === '' || host.includes('%') ? null : host
}

/** One line for the answer of a command: "3 connections to registry.npmjs.org:443, 1.2 MB down, 4 kB up; refused: evil.example:443". */
export function networkWords({ connections, total, up, down }: NetworkUse): string {
  if (total === 0) return 'no connections'
  const groups = (verdict: Connection['verdict']) =>
    Map.groupBy(
      connections.filter((one) => one.verdict === verdict),
      ({ host, port }) => `${host}:${port}`,
    )
  const named = (verdict: Connection['verdict']) =>
    [...groups(verdict)].map(([place, { length }]) => (length > 1 ? `${place} (${length}×)` : place))
  const reached = [...groups('ok')].map(([place, { length }]) => `${length} connection${length === 1 ? '' : 's'} to ${place}`)
  const reason = (verdict: Connection['verdict']) => connections.find((one) => one.verdict === verdict)?.why ?? ''
  return [
    ...(reached.length > 0 ? [`${reached.join(', ')}, ${bytesIn(down)} down, ${bytesIn(up)} up`] : []),
    ...(['refused', 'failed', 'cut'] as const).flatMap((verdict) =>
      groups(verdict).size === 0 ? [] : [`${verdict}: ${named(verdict).join(', ')} (${reason(verdict).replace(/\s+/g, ' ')})`],
    ),
    ...(total > connections.length ? [`${total - connections.length} more connections are not told one by one`] : []),
  ].join('; ')
}
const bytesIn = (bytes: number): string =>
  bytes < 1_000 ? `${bytes} bytes` : bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
const shown = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text)
