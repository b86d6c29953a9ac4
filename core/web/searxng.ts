/** A SearXNG server that the owner named in SEARXNG_URL, asked for JSON. */
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import type { Engine } from './search.ts'

const MOST_HITS = 40
const Result = z.object({
  url: z.string(),
  title: z.string().nullish(),
  content: z.string().nullish(),
  publishedDate: z.string().nullish(),
})
const Page = z.object({ results: z.array(z.unknown()), unresponsive_engines: z.array(z.unknown()).default([]) })

export function searxng(base: string): Engine {
  const { host } = new URL(base)
  return {
    name: 'searxng',
    host,
    trusted: true,
    async search(query, get, signal) {
      const url = new URL(`${base.replace(/\/+$/, '')}/search`)
      url.search = new URLSearchParams({ q: query, format: 'json' }).toString()
      const { status, text, location } = await get(url, { accept: 'application/json' }, signal)
      if (status === 403)
        throw new Fault(
          'unavailable',
          'SearXNG answers 403: add "json" to search.formats in its settings.yml, or let this machine pass its limiter.',
        )
      if (status === 429)
        throw new Fault(
          'limited',
          'SearXNG answers 429: its limiter holds this machine back. Wait, or exempt this machine in its limiter.toml.',
        )
      if (location)
        throw new Fault('unavailable', `SearXNG sends on to ${location.slice(0, 200)}: set SEARXNG_URL to the address it really has.`)
      if (status !== 200)
        throw new Fault('unavailable', `SearXNG at SEARXNG_URL answers ${status}: look at its log, and whether the address is right.`)
      const page = Page.safeParse(jsonOf(text))
      if (!page.success)
        throw new Fault(
          'unavailable',
          'What answers at SEARXNG_URL is not SearXNG, or does not give JSON: check the address and search.formats in its settings.yml.',
        )
      const hits = page.data.results
        .map((raw) => Result.safeParse(raw))
        .flatMap(({ data }) => (data && /^https?:\/\//.test(data.url) && URL.canParse(data.url) ? [data] : []))
        .slice(0, MOST_HITS)
        .map(({ url: found, title, content, publishedDate }) => ({
          title: squeeze(title ?? '') || found,
          url: found,
          snippet: squeeze(content ?? ''),
          ...(publishedDate ? { published: publishedDate.slice(0, 10) } : {}),
        }))
      const silent = page.data.unresponsive_engines.map((engine) =>
        Array.isArray(engine) ? engine.slice(0, 2).join(': ') : String(engine),
      )
      if (hits.length === 0 && silent.length > 0)
        throw new Fault(
          'unavailable',
          `SearXNG found nothing because its engines do not answer (${silent.join('; ').slice(0, 300)}): look at its log.`,
        )
      return hits
    },
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // told as "not SearXNG" by the caller
  }
}

const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim()
