/** DuckDuckGo's page for browsers without scripts: no key, no account. It has no contract, so what is not understood is said, not guessed. */
import { Parser } from 'htmlparser2'
import { Fault } from '../contract/fault.ts'
import type { Engine, Hit } from './search.ts'

const MOST_HITS = 40
const MOST_DEPTH = 500
const MEND = 'Wait some minutes, or set SEARXNG_URL to a SearXNG server of your own.'

export function duckDuckGo(address = 'https://html.duckduckgo.com/html/'): Engine {
  const host = new URL(address).host
  return {
    name: 'duckduckgo',
    host,
    async search(query, get, signal) {
      const url = new URL(address)
      url.searchParams.set('q', query)
      const { status, text } = await get(url, { accept: 'text/html' }, signal)
      if (isChallenge(text) || status === 202 || status === 403 || status === 418 || status === 429)
        throw new Fault('limited', `DuckDuckGo takes this machine for a robot and answers with a challenge (${status}). ${MEND}`)
      if (status !== 200) throw new Fault('unavailable', `DuckDuckGo answers ${status}. ${MEND}`)
      const { hits, none } = hitsOf(text)
      if (hits.length === 0 && !none) throw unknownPage()
      return hits
    },
  }
}

const unknownPage = () =>
  new Fault('unavailable', `DuckDuckGo's answer is not the result page that is known here; it may have changed. ${MEND}`)
const isChallenge = (html: string) => /class\s*=\s*["'][^"']*\banomaly|id\s*=\s*["']challenge-form|\/anomaly\.js/i.test(html)

/** The results of a page, advertisements left out. `none`: the page itself says that there are none. */
export function hitsOf(html: string): { hits: Hit[]; none: boolean } {
  const hits: Hit[] = []
  let none = false
  let depth = 0
  /** The result under way, and the depth of its element. */
  let open: { hit: Hit; at: number; ad: boolean } | null = null
  /** What text goes to now, and the depth of the element that holds it. */
  let into: { field: 'title' | 'snippet'; at: number } | null = null
  const parser = new Parser({
    onopentag(name, attributes) {
      if (EMPTY.has(name)) return
      if (++depth > MOST_DEPTH) throw unknownPage() // the parser's time grows with the square of it
      const classes = new Set((attributes.class ?? '').split(/\s+/))
      if (classes.has('no-results') || classes.has('result--no-result')) none = true
      if (!open && classes.has('result') && !classes.has('result--no-result'))
        open = { hit: { title: '', url: '', snippet: '' }, at: depth, ad: classes.has('result--ad') }
      if (!open) return
      if (classes.has('result__a')) {
        open.hit.url = targetOf(attributes.href ?? '') ?? ''
        into = { field: 'title', at: depth }
      } else if (classes.has('result__snippet')) into = { field: 'snippet', at: depth }
    },
    ontext(text) {
      if (open && into) open.hit[into.field] += text
    },
    onclosetag(name) {
      if (EMPTY.has(name)) return
      if (into?.at === depth) into = null
      if (open?.at === depth) {
        const { title, url, snippet } = open.hit
        if (!open.ad && url && title && hits.length < MOST_HITS && !hits.some((hit) => hit.url === url))
          hits.push({ title: squeeze(title), url, snippet: squeeze(snippet) })
        open = null
        into = null
      }
      depth--
    },
  })
  parser.end(html)
  return { hits, none }
}

const EMPTY = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))

/** Results are linked through a counter; what is meant stands in `uddg`. Advertisements go through `y.js` and are none. */
function targetOf(href: string): string | null {
  const url = URL.parse(href, 'https://duckduckgo.com/')
  if (!url) return null
  if (isOwn(url) && url.pathname !== '/l/') return null
  const target = isOwn(url) ? URL.parse(url.searchParams.get('uddg') ?? '') : url
  return target && /^https?:$/.test(target.protocol) && !(isOwn(target) && target.pathname === '/y.js') ? target.href : null
}

const isOwn = (url: URL) => /(^|\.)duckduckgo\.com$/.test(url.hostname)

const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim()
