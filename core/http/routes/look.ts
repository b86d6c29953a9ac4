/** Looking into a tree: search, what happened since, one call or message in full, what a turn was sent. */
import type { Store } from '../../store/store.ts'
import { readCall, readMessage, readSentContext } from '../../tasks/look.ts'
import { searchTree } from '../../tasks/search.ts'
import { happenedSince } from '../../tasks/since.ts'
import type { Handlers } from '../router.ts'

export function lookRoutes(store: Store): Pick<Handlers, 'searchTree' | 'treeSince' | 'since' | 'call' | 'message' | 'sentContext'> {
  return {
    async searchTree({ param, query }) {
      return { ...(await searchTree(store, param('id'), query)), nextCursor: null }
    },
    treeSince: ({ param, query: { seq } }) => happenedSince(store, seq, param('id')),
    since: ({ query: { seq } }) => happenedSince(store, seq),
    async call({ param, query: { full, raw } }) {
      const { whole, ...call } = await readCall(store, param('id'), param('callId'), full === true && !raw)
      return raw ? asFile(whole, `${call.id}.txt`) : call
    },
    async message({ param, query: { full, raw } }) {
      const n = Number(param('n'))
      const { whole, ...message } = await readMessage(store, param('id'), Number.isSafeInteger(n) ? n : 0, full === true && !raw)
      return raw ? asFile(whole, `${param('id')}-${n}.txt`) : message
    },
    sentContext: ({ param, query: { n } }) => readSentContext(store, param('id'), n),
  }
}

/** Always a download and never a page: a tool's answer may hold HTML. */
function asFile(text: string, name: string): Response {
  const safe = name.replace(/[^\w.-]+/g, '-')
  return new Response(text, {
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': `attachment; filename="${safe}"`,
      'x-content-type-options': 'nosniff',
    },
  })
}
