/**
 * Answers to questions that have the same answer each time: the lists of what a caller is offered. Whoever asks exactly what was asked before,
 * and is offered the same, gets the same bytes with its own id; the SDK looks at each different request once, so nothing is let through
 * that it would refuse.
 */
import type { Principal } from '../auth/principal.ts'
import type { Surface } from './surface.ts'

const METHODS: ReadonlySet<string> = new Set(['tools/list', 'prompts/list', 'resources/templates/list', 'server/discover'])
/** Headers that the protocol checks against the body. */
const HEADERS = ['accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name'] as const
/** Words of a request that differ each time and change nothing in the answer. */
const PASSING: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage'])
const [MOST_KEPT, LONGEST_KEY] = [64, 4_096]
const FRAME = /^event: message\ndata: (\{.*\})\n\n$/s

type Raw = Readonly<Record<string, unknown>>
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `offered`: what makes two callers be offered the same. */
export function openKeptAnswers(offered: (by: Principal) => Promise<string>) {
  /** The newest use last. */
  const kept = new Map<string, { rest: string; headers: Headers }>()
  return {
    /** What was answered to the same question before, and what keeps a new answer; null: the answer may be another each time. */
    async asked(request: Request, body: unknown, by: Principal): Promise<Kept | null> {
      const question = questionIn(request, body)
      if (question === null) return null
      const key = `${await offered(by)}\n${question.words}`
      const known = kept.get(key)
      if (known === undefined) return { known: null, keep: (response) => keep(key, response) }
      kept.delete(key)
      kept.set(key, known)
      const frame = `event: message\ndata: {"id":${JSON.stringify(question.id)},${known.rest}\n\n`
      return { known: new Response(frame, { headers: known.headers }) }
    },
  }

  async function keep(key: string, response: Response): Promise<Response> {
    if (response.status !== 200) return response
    const { headers } = response
    const text = await response.text()
    const frame = FRAME.exec(text)?.[1]
    if (frame !== undefined) {
      const { id: _, ...rest } = JSON.parse(frame) as Raw
      if ('result' in rest) kept.set(key, { rest: JSON.stringify(rest).slice(1), headers })
      for (const oldest of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(oldest)
    }
    return new Response(text, { headers })
  }
}
type Kept = { known: Response } | { known: null; keep(fresh: Response): Promise<Response> }

/** Who is offered the same: the same kind of caller with the same rights. */
export const offerOf = (surface: Surface, by: Principal): string => `${surface.name} ${[...by.scopes].sort().join(' ')}`

function questionIn(request: Request, body: unknown): { id: string | number; words: string } | null {
  if (!isRaw(body) || typeof body.method !== 'string' || !METHODS.has(body.method)) return null
  const { id, params, ...rest } = body
  if ((typeof id !== 'string' && typeof id !== 'number') || !isRaw(params) || !isRaw(params._meta)) return null
  const _meta = Object.fromEntries(
    Object.entries(params._meta).filter(
      ([name, value]) => !(PASSING.has(name) && (typeof value === 'string' || typeof value === 'number')),
    ),
  )
  const words = JSON.stringify([HEADERS.map((name) => request.headers.get(name)), rest, { ...params, _meta }])
  return words.length > LONGEST_KEY ? null : { id, words }
}
