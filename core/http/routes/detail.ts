/** One task taken apart: its facts, the contents of files that it changed, what its model calls cost. */
import type { FileContents } from '../../contract/api-detail.ts'
import { Fault } from '../../contract/fault.ts'
import type { Held, History } from '../../exec/history.ts'
import { PRICES } from '../../models/prices.ts'
import type { Store } from '../../store/store.ts'
import { factsOfTask, spendOfTask } from '../../tasks/facts.ts'
import type { Handlers } from '../router.ts'

/** Bytes of a file that are still shown as text. */
const SHOWN = 1_000_000

export function detailRoutes(store: Store, history: Pick<History, 'contents'>): Pick<Handlers, 'taskFacts' | 'fileContents' | 'taskSpend'> {
  return {
    async taskFacts({ param, query: { after, limit } }) {
      const { items, more } = await factsOfTask(store, param('id'), after, limit)
      return { items, nextCursor: more ? String(items.at(-1)!.seq) : null }
    },
    async fileContents({ param, query: { to } }) {
      const n = Number(param('n'))
      if (!Number.isSafeInteger(n)) throw new Fault('invalid', 'The number of a change is a whole number.')
      const { path, before, after } = await history.contents(param('id'), n, to ?? n)
      return { path, before: before && shown(before), after: after && shown(after) }
    },
    async taskSpend({ param }) {
      return { ...(await spendOfTask(store, param('id'))), prices: PRICES }
    },
  }
}

function shown({ content, bytes, why }: Held): NonNullable<FileContents['before']> {
  if (!content) return { text: null, bytes, why }
  if (content.byteLength > SHOWN) return { text: null, bytes, why: 'it is longer than 1 MB' }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
    return text.includes('\0') ? { text: null, bytes, why: 'it is not text' } : { text, bytes, why: null }
  } catch {
    return { text: null, bytes, why: 'it is not text' } // a fatal decoder throws for nothing but what is not UTF-8
  }
}
