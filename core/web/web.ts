/**
 * The door to the web: search, and read a page. Only addresses of the public internet are dialled, whatever a URL, a redirect or a name
 * server says; sites' wishes are kept (robots.txt, pace); every request has an end. What comes back is text and nothing of it is run.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from '../contract/fault.ts'
import type { Store } from '../store/store.ts'
import { checkedAddresses, type Site, siteOf, WEB_PORTS } from './address.ts'
import { decode, visible } from './charset.ts'
import { duckDuckGo } from './duckduckgo.ts'
import { type Answer, exchange } from './exchange.ts'
import { type Link, openReader } from './readable.ts'
import { type Citation, citationOf, type KeptPage, type SearchRecord, webRecords } from './records.ts'
import { type Resolve, type Route, resolved, systemResolve } from './resolve.ts'
import { openRobots, PRODUCT } from './robots.ts'
import type { Engine, Hit } from './search.ts'
import { searxng } from './searxng.ts'
import { openThrottle } from './throttle.ts'

export type Who = { taskId: string | null }
export type Page = {
  /** The same words at the same address have the same one. */
  citation: string
  url: string
  finalUrl: string
  title: string
  contentType: string
  /** Markdown, or the text itself where it was no HTML. */
  text: string
  links: Link[]
  /** What a reader should know: cut, laid out as plain text. */
  notes: string[]
  fetchedAt: number
}
export type Found = { engine: string; hits: Hit[]; cached: boolean }

export type Web = {
  /** Fault `limited` or `unavailable` names what is wrong with the engine, and the mend. */
  search(query: string, how: { limit: number }, who: Who, signal: AbortSignal): Promise<Found>
  /** A Fault names why there is no page: refused address, robots.txt, the site's answer, what it is made of, time. */
  fetch(
    url: string,
    how: {
      who: Who
      maxBytes?: number
      timeoutMs?: number
      /** Asked before the request goes on to another host than the one in the URL; what it throws ends the fetch. */
      through?: (host: string) => Promise<void>
    },
    signal: AbortSignal,
  ): Promise<Page>
  /**
   * The bytes at an address that a person gave, all of them or a Fault: refused address, the site's answer, size, time. robots.txt speaks to
   * programs that choose addresses by themselves and is not asked.
   */
  download(url: string, how: { maxBytes: number; timeoutMs?: number }, signal: AbortSignal): Promise<{ name: string; bytes: Buffer }>
  /** Newest first. */
  searches(of: { taskId?: string; limit: number }): Promise<SearchRecord[]>
  /** The pages that a task read, in order. */
  citations(taskId: string): Promise<Citation[]>
  /** Addresses that searches and pages showed to the tasks of a tree. */
  shown(treeId: string): Promise<string[]>
}

export type WebParts = {
  store: Store
  now(): number
  /** Unset: DuckDuckGo. */
  searxngUrl?: string | undefined
  /** For tests, which have no certificate of DuckDuckGo's. */
  duckDuckGoUrl?: string
  /** All addresses of a name; the machine's resolver when left out. */
  resolve?: Resolve
  route?: Route
  ports?: readonly number[]
  limits?: Partial<typeof LIMITS>
}

const LIMITS = {
  pageBytes: 4_000_000,
  totalMs: 30_000,
  headerMs: 10_000,
  idleMs: 10_000,
  /** Between two requests to one site. */
  siteGapMs: 1_000,
  /** Between two searches. */
  searchGapMs: 2_000,
  longestWaitMs: 15_000,
  /** A page is read on from the same text for at least this long. */
  freshMs: 600_000,
  searchFreshMs: 900_000,
  layoutMs: 5_000,
}
const MOST_REDIRECTS = 5
const MOST_TEXT = 1_000_000
const MOST_ROBOTS = 512_000
const MOST_RESULT_PAGE = 1_000_000
const MOST_QUERY = 400
const DAY_MS = 86_400_000
const ACCEPT =
  'text/html, application/xhtml+xml, text/markdown, text/plain, application/json, application/xml;q=0.9, text/*;q=0.8, */*;q=0.1'
/** Says what it is and by whose wish it comes; a site may answer to the name in its robots.txt. */
const USER_AGENT = `Mozilla/5.0 (compatible; ${PRODUCT}/1.0; reads single pages on behalf of a person)`

type Through = (host: string) => Promise<void>
type Request = { headers: Readonly<Record<string, string>>; signal: AbortSignal; trusted?: boolean }

export function openWeb(parts: WebParts): Web {
  const { store, now, ports = WEB_PORTS } = parts
  const limits = { ...LIMITS, ...parts.limits }
  const { resolve = systemResolve } = parts
  const records = webRecords(store)
  const reader = openReader({ timeMs: limits.layoutMs })
  const pace = openThrottle({ gapMs: limits.siteGapMs, longestWaitMs: limits.longestWaitMs, now })
  const searchPace = openThrottle({ gapMs: limits.searchGapMs, longestWaitMs: limits.longestWaitMs, now })
  const robots = openRobots(robotsText, now)
  const engine: Engine = parts.searxngUrl ? searxng(parts.searxngUrl) : duckDuckGo(parts.duckDuckGoUrl)

  /** One request to a place that `siteOf` let pass; its addresses are checked here, and just these are dialled. */
  async function ask(site: Site, { headers, signal, trusted = false }: Request): Promise<Answer> {
    signal.throwIfAborted()
    const found = site.literal ? [site.literal] : await sooner(resolved(resolve, site.host), signal)
    const checked = trusted
      ? found.map(({ address, family }) => ({ address, family: family as 4 | 6 }))
      : checkedAddresses(site.host, found)
    const way = parts.route
      ? checked.map((address) => parts.route!(address, site.port))
      : checked.map((address) => ({ address, port: site.port }))
    return exchange(
      {
        url: site.url,
        addresses: way.map(({ address }) => address),
        port: way[0]!.port,
        headers: { 'user-agent': USER_AGENT, 'accept-language': 'en, *;q=0.5', ...headers },
        headerTimeoutMs: limits.headerMs,
        idleTimeoutMs: limits.idleMs,
      },
      signal,
    )
  }

  /** Follows redirects by hand, each of them judged like a new request. `before` is asked ahead of each one. */
  async function follow(
    from: Site,
    before: (site: Site) => Promise<Readonly<Record<string, string>>>,
    signal: AbortSignal,
  ): Promise<{ site: Site; answer: Answer }> {
    let site = from
    for (let hop = 0; ; hop++) {
      const answer = await ask(site, { headers: await before(site), signal })
      const { location } = answer.headers
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return { site, answer }
      answer.drop()
      if (hop === MOST_REDIRECTS)
        throw new Fault('unavailable', `${from.host} redirects more than ${MOST_REDIRECTS} times; the address leads nowhere.`)
      const next = URL.parse(location, site.url)
      if (!next) throw new Fault('unavailable', `${site.host} redirects to something that is no address.`)
      site = siteOf(next, ports)
    }
  }

  async function robotsText(url: URL, signal: AbortSignal): Promise<{ status: number; text: string }> {
    const plain = async () => ({ accept: 'text/plain, */*;q=0.1' })
    const { answer } = await follow(siteOf(url, ports), plain, signal)
    if (answer.status >= 300) {
      answer.drop()
      return { status: answer.status, text: '' }
    }
    const { bytes } = await answer.read(MOST_ROBOTS)
    return { status: answer.status, text: bytes.toString('utf8') }
  }

  async function load(start: Site, kept: KeptPage | null, most: number, through: Through, signal: AbortSignal): Promise<KeptPage> {
    const before = async (site: Site): Promise<Record<string, string>> => {
      if (site.host !== start.host) await through(site.host)
      const { gapMs } = await robots.check(site.url, signal)
      await pace.turn(site.url.host, signal, gapMs === undefined ? undefined : Math.max(gapMs, limits.siteGapMs))
      const mine = kept && kept.finalUrl === withoutFragment(site.url) ? kept : null
      return {
        accept: ACCEPT,
        ...(mine?.etag ? { 'if-none-match': mine.etag } : {}),
        ...(mine?.lastModified ? { 'if-modified-since': mine.lastModified } : {}),
      }
    }
    const { site, answer } = await follow(start, before, signal)
    const { status, headers } = answer
    const freshUntil = now() + freshMs(headers, limits.freshMs)
    if (status === 304 && kept) {
      answer.drop()
      return { ...kept, freshUntil }
    }
    try {
      if (status < 200 || status >= 300) throw refusal(site, status, headers)
      const kind = kindOf(headers, site)
      const { bytes, complete } = await answer.read(most)
      const contentType = kind === 'unknown' ? sniffed(bytes, site) : kind
      const markup = contentType === 'html' || contentType === 'xml'
      if (!markup && bytes.subarray(0, 8_192).includes(0) && !/^(\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2)))
        throw notText(site, headers, 'binary data')
      const raw = visible(decode(bytes, headers['content-type'], markup))
      const read =
        contentType === 'html'
          ? await reader.read(raw, site.url.href, signal)
          : { title: '', text: raw.trim(), links: [], how: 'page' as const }
      return {
        url: withoutFragment(start.url),
        finalUrl: withoutFragment(site.url),
        title: oneLine(read.title).slice(0, 300) || site.url.host + site.url.pathname,
        contentType: (headers['content-type'] ?? 'not told').split(';')[0]!.trim().slice(0, 100),
        text: read.text.slice(0, MOST_TEXT),
        links: read.links,
        notes: [
          ...(complete ? [] : [`Only its first ${most} bytes were read.`]),
          ...(read.text.length > MOST_TEXT ? [`Only the first ${MOST_TEXT} characters of its text were kept.`] : []),
          ...(read.how === 'text' ? ['It was too large or too deep to be laid out; these are its words alone.'] : []),
        ],
        etag: single(headers.etag),
        lastModified: single(headers['last-modified']),
        fetchedAt: now(),
        freshUntil,
      }
    } finally {
      answer.drop()
    }
  }

  return {
    async fetch(raw, { who, maxBytes = limits.pageBytes, timeoutMs = limits.totalMs, through = async () => undefined }, signal) {
      const start = siteOf(raw, ports)
      const url = withoutFragment(start.url)
      const kept = await records.page(url)
      let page = kept
      if (!kept || kept.freshUntil <= now()) {
        page = await within(timeoutMs, signal, start.host, (both) => load(start, kept, Math.min(maxBytes, limits.pageBytes), through, both))
        await records.keepPage(page)
      } else {
        const end = siteOf(kept.finalUrl, ports).host
        if (end !== start.host) await through(end)
      }
      const { freshUntil: _, etag: __, lastModified: ___, ...told } = page!
      if (who.taskId !== null) await records.cite(who.taskId, told)
      return { citation: citationOf(told), ...told }
    },

    async download(raw, { maxBytes, timeoutMs = limits.totalMs }, signal) {
      const start = siteOf(raw, ports)
      return within(timeoutMs, signal, start.host, async (both) => {
        const { site, answer } = await follow(start, async () => ({ accept: '*/*' }), both)
        try {
          if (answer.status < 200 || answer.status >= 300) throw refusal(site, answer.status, answer.headers)
          const { bytes, complete } = await answer.read(maxBytes)
          if (!complete) throw new Fault('too_large', `What is at ${site.host} is larger than ${maxBytes / 1e6} MB; attach it as a file.`)
          return { name: nameOf(site.url), bytes }
        } finally {
          answer.drop()
        }
      })
    },

    async search(raw, { limit }, { taskId }, signal) {
      const query = visible(raw).replace(/\s+/g, ' ').trim()
      if (query === '' || query.length > MOST_QUERY) throw new Fault('invalid', `A query has 1 to ${MOST_QUERY} characters.`)
      const about = { engine: engine.name, query, taskId }
      const kept = await records.recent(engine.name, query, now() - limits.searchFreshMs)
      if (kept) {
        await records.searched({ ...about, at: now(), outcome: 'cached' }, kept)
        return { engine: engine.name, hits: kept.slice(0, limit), cached: true }
      }
      try {
        const hits = await within(limits.totalMs, signal, engine.host, async (both) => {
          await searchPace.turn(engine.host, both)
          return (await engine.search(query, engineGet, both)).map(cleanHit)
        })
        await records.searched({ ...about, at: now(), outcome: 'ok' }, hits)
        return { engine: engine.name, hits: hits.slice(0, limit), cached: false }
      } catch (error) {
        if (error instanceof Fault) await records.searched({ ...about, at: now(), outcome: error.code }, [])
        throw error
      }
    },

    searches: (of) => records.searches(of),
    citations: (taskId) => records.citations(taskId),
    shown: (treeId) => records.shown(treeId),
  }

  /** What an engine asks with. A search is a person's question put through a form, no crawl: robots.txt is not asked. */
  async function engineGet(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
    const { trusted = false } = engine
    const site: Site = trusted ? trustedSite(url) : siteOf(url, ports)
    const answer = await ask(site, { headers, signal, trusted })
    const moved = answer.status >= 300 && answer.status < 400 ? (answer.headers.location ?? null) : null
    const { bytes } = await answer.read(MOST_RESULT_PAGE)
    return { status: answer.status, text: decode(bytes, answer.headers['content-type'], true), location: moved }
  }
}

/** What a file from there is called: the last part of the path, or the host. */
function nameOf(url: URL): string {
  const last = url.pathname.split('/').findLast((part) => part !== '') ?? ''
  try {
    return decodeURIComponent(last) || `${url.hostname}.html`
  } catch {
    return last // a percent sign that encodes nothing
  }
}

/** The owner's own server may stand on this machine or in an inner network, at any port. */
function trustedSite(url: URL): Site {
  return {
    url,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
    literal: null,
  }
}

/** Runs `work` with a signal that ends it after `ms`; says so in words, and says when it was the caller who stopped it. */
async function within<T>(ms: number, signal: AbortSignal, who: string, work: (both: AbortSignal) => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(ms)
  try {
    return await work(AbortSignal.any([signal, late]))
  } catch (error) {
    if (signal.aborted) throw new Fault('unavailable', `Reading from ${who} was stopped.`, { cause: error })
    if (late.aborted)
      throw new Fault('unavailable', `${who} did not answer completely within ${ms / 1_000} s; try again later, or use another source.`, {
        cause: error,
      })
    throw error
  }
}

/** The machine's resolver cannot be stopped, so it is no longer waited for. */
function sooner<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

function refusal(site: Site, status: number, headers: IncomingHttpHeaders): Fault {
  const place = `${site.host}${site.url.pathname}`.slice(0, 200)
  const after = headers['retry-after'] ? ` It asks to be left alone for ${headers['retry-after'].slice(0, 40)} (seconds or a date).` : ''
  if (status === 404 || status === 410)
    return new Fault('not_found', `${place} does not exist (${status}); check the address, or search for it.`)
  if (status === 401 || status === 402 || status === 403 || status === 451)
    return new Fault('forbidden', `${place} is not given to everybody (${status}); use another source.`)
  if (status === 429) return new Fault('limited', `${site.host} was asked too often (429).${after}`)
  return new Fault('unavailable', `${place} answers ${status}; try again later, or use another source.${after}`)
}

type Kind = 'html' | 'xml' | 'text'
function kindOf(headers: IncomingHttpHeaders, site: Site): Kind | 'unknown' {
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
  if (type === '' || type === 'unknown/unknown' || type === 'application/unknown') return 'unknown'
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html'
  if (/^(text|application)\/xml$|\+xml$/.test(type)) return type === 'image/svg+xml' ? refuse() : 'xml'
  if (
    /^text\//.test(type) ||
    /^application\/(.*\+json|json|x-ndjson|jsonl|yaml|x-yaml|toml|javascript|x-javascript|ecmascript|sql|graphql)$/.test(type)
  )
    return 'text'
  return refuse()
  function refuse(): never {
    throw notText(site, headers, type)
  }
}

function notText(site: Site, headers: IncomingHttpHeaders, what: string): Fault {
  const size = headers['content-length'] ? `${headers['content-length'].slice(0, 15)} bytes` : 'size not told'
  return new Fault(
    'unprocessable',
    `${site.host}${site.url.pathname.slice(0, 200)} is ${what.slice(0, 100)} (${size}); only HTML, text, JSON and XML are read here. Look for a page that tells the same.`,
  )
}

function sniffed(bytes: Buffer, site: Site): Kind {
  const start = bytes.toString('latin1', 0, 1_024).trimStart().toLowerCase()
  if (bytes.subarray(0, 1_024).includes(0)) throw notText(site, {}, 'binary data')
  if (/^(<!--[\s\S]{0,1000}?-->\s*)?<(!doctype html|html|head|body|title|h1|div|p)\b/.test(start)) return 'html'
  return start.startsWith('<?xml') ? 'xml' : 'text'
}

/** How long the site lets a page be kept: at least what paging needs, at most a day. */
function freshMs(headers: IncomingHttpHeaders, least: number): number {
  const control = headers['cache-control'] ?? ''
  const age = /no-store|no-cache/i.test(control) ? 0 : Number(/max-age\s*=\s*(\d{1,9})/i.exec(control)?.[1] ?? 0)
  return Math.min(Math.max(age * 1_000, least), DAY_MS)
}

const cleanHit = (hit: Hit): Hit => ({
  ...hit,
  title: oneLine(visible(hit.title)).slice(0, 300),
  snippet: oneLine(visible(hit.snippet)).slice(0, 600),
})
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
const single = (value: string | undefined) => (value && value.length <= 500 ? value : null)
function withoutFragment(url: URL): string {
  const copy = new URL(url)
  copy.hash = ''
  return copy.href
}
