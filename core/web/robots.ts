/** What a site asks of programs (RFC 9309), read once a day and kept. */
import parser from 'robots-parser'
import { Fault } from '../contract/fault.ts'

/** The package's types describe a default export inside its default export; what Node imports is the function itself. */
const robotsParser = parser as unknown as typeof parser.default

/** The name that robots.txt files may address. */
export const PRODUCT = 'banyan'

export type Robots = {
  /** A Fault when the site does not want the page fetched by programs. Returns how far apart it wants requests. */
  check(url: URL, signal: AbortSignal): Promise<{ gapMs: number | undefined }>
}
export type RobotsAnswer = { status: number; text: string }

const DAY_MS = 86_400_000
/** A site whose rules could not be read is asked again sooner. */
const RETRY_MS = 300_000
const MOST_SITES = 500
const LONGEST_GAP_MS = 10_000
/** A rule longer than this matches no address that is fetched; matching it would only cost time. */
const LONGEST_RULE = 2_100

type Rules = { until: number; judge(url: string): boolean; gapMs: number | undefined; why?: string }

/** `get` fetches with every guard on and follows redirects itself. */
export function openRobots(get: (url: URL, signal: AbortSignal) => Promise<RobotsAnswer>, now: () => number): Robots {
  const kept = new Map<string, Rules>()

  async function load(origin: string, signal: AbortSignal): Promise<Rules> {
    const at = new URL('/robots.txt', origin)
    const { status, text } = await get(at, signal)
    if (status >= 200 && status < 300) {
      const rules = text.split(/\r\n|\r|\n/).filter((line) => line.length <= LONGEST_RULE)
      const robots = robotsParser(at.href, rules.join('\n'))
      const delay = robots.getCrawlDelay(PRODUCT)
      return {
        until: now() + DAY_MS,
        judge: (url) => robots.isAllowed(url, PRODUCT) !== false,
        gapMs: delay === undefined || !Number.isFinite(delay) ? undefined : Math.min(Math.max(0, delay) * 1_000, LONGEST_GAP_MS),
      }
    }
    // No rules to be had means none; a site in trouble is left alone.
    if (status < 500 && status !== 429) return { until: now() + DAY_MS, judge: () => true, gapMs: undefined }
    return { until: now() + RETRY_MS, judge: () => false, gapMs: undefined, why: `its robots.txt answers ${status}` }
  }

  return {
    async check(url, signal) {
      let rules = kept.get(url.origin)
      if (!rules || rules.until <= now()) {
        rules = await load(url.origin, signal)
        if (kept.size >= MOST_SITES) kept.delete(kept.keys().next().value!)
        kept.set(url.origin, rules)
      }
      if (!rules.judge(url.href))
        throw new Fault(
          'forbidden',
          rules.why
            ? `${url.host} cannot be asked now: ${rules.why}. Try again in some minutes, or use another source.`
            : `${url.host} does not want programs to fetch ${url.pathname} (robots.txt); use another source.`,
        )
      return { gapMs: rules.gapMs }
    },
  }
}
