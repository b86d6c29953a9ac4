/** What is kept of the web in the database: searches and their results, pages as they were read, and which task read what. */
import { createHash, randomUUID } from 'node:crypto'
import type { Store } from '../store/store.ts'
import type { Link } from './readable.ts'
import type { Hit } from './search.ts'

export type SearchRecord = {
  id: string
  engine: string
  query: string
  at: number
  taskId: string | null
  /** How many results; of a failed one, none. */
  results: number
  /** `ok`, `cached` (answered from an earlier one), or the code of the Fault. */
  outcome: string
}
export type KeptPage = {
  url: string
  finalUrl: string
  title: string
  contentType: string
  text: string
  links: Link[]
  notes: string[]
  etag: string | null
  lastModified: string | null
  fetchedAt: number
  freshUntil: number
}
export type Citation = { id: string; taskId: string; url: string; title: string; fetchedAt: number }

/** Pages are kept to read on in them and to ask whether they changed, not as an archive. */
const MOST_PAGES = 200
/** Searches and pages of a tree that are looked through for an address. */
const MOST_SHOWN = 500
const PAGE_MS = 7 * 86_400_000

export type Records = ReturnType<typeof webRecords>

export function webRecords(store: Store) {
  return {
    /** The results of the newest such search since `since`. */
    async recent(engine: string, query: string, since: number): Promise<Hit[] | null> {
      const row = await store.db
        .selectFrom('web_searches')
        .select('hits')
        .where('engine', '=', engine)
        .where('query', '=', query)
        .where('outcome', '=', 'ok')
        .where('at', '>', since)
        .orderBy('at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row ? (JSON.parse(row.hits) as Hit[]) : null
    },
    async searched(record: Omit<SearchRecord, 'id' | 'results'>, hits: readonly Hit[]): Promise<void> {
      const row = {
        id: randomUUID(),
        engine: record.engine,
        query: record.query,
        at: record.at,
        task_id: record.taskId,
        results: hits.length,
        outcome: record.outcome,
        hits: record.outcome === 'ok' ? JSON.stringify(hits) : '[]',
      }
      await store.transact(async (tx) => void (await tx.db.insertInto('web_searches').values(row).execute()))
    },
    /** Newest first. */
    async searches({ taskId, limit }: { taskId?: string; limit: number }): Promise<SearchRecord[]> {
      let query = store.db.selectFrom('web_searches').select(['id', 'engine', 'query', 'at', 'task_id', 'results', 'outcome'])
      if (taskId !== undefined) query = query.where('task_id', '=', taskId)
      const rows = await query.orderBy('at', 'desc').orderBy('id').limit(limit).execute()
      return rows.map(({ task_id, ...row }) => ({ ...row, taskId: task_id }))
    },

    async page(url: string): Promise<KeptPage | null> {
      const row = await store.db.selectFrom('web_pages').selectAll().where('url', '=', url).executeTakeFirst()
      if (!row) return null
      return {
        url: row.url,
        finalUrl: row.final_url,
        title: row.title,
        contentType: row.content_type,
        text: row.text,
        links: JSON.parse(row.links) as Link[],
        notes: JSON.parse(row.notes) as string[],
        etag: row.etag,
        lastModified: row.last_modified,
        fetchedAt: row.fetched_at,
        freshUntil: row.fresh_until,
      }
    },
    /** Keeps a page in place of its older form, and lets the oldest go. */
    async keepPage(page: KeptPage): Promise<void> {
      const row = {
        final_url: page.finalUrl,
        title: page.title,
        content_type: page.contentType,
        text: page.text,
        links: JSON.stringify(page.links),
        notes: JSON.stringify(page.notes),
        etag: page.etag,
        last_modified: page.lastModified,
        fetched_at: page.fetchedAt,
        fresh_until: page.freshUntil,
      }
      await store.transact(async ({ db }) => {
        await db
          .insertInto('web_pages')
          .values({ url: page.url, ...row })
          .onConflict((c) => c.column('url').doUpdateSet(row))
          .execute()
        const oldest = db.selectFrom('web_pages').select('fetched_at').orderBy('fetched_at', 'desc').offset(MOST_PAGES).limit(1)
        const { fetched_at: bound = -1 } = (await oldest.executeTakeFirst()) ?? {}
        await db
          .deleteFrom('web_pages')
          .where('fetched_at', '<=', Math.max(bound, page.fetchedAt - PAGE_MS))
          .execute()
      })
    },

    /** That a task read a page. The id is the page's as it was: the same words at the same address have the same one. */
    async cite(taskId: string, page: Pick<KeptPage, 'finalUrl' | 'title' | 'text' | 'fetchedAt'>): Promise<void> {
      const row = { task_id: taskId, id: citationOf(page), url: page.finalUrl, title: page.title, fetched_at: page.fetchedAt }
      await store.transact(
        async (tx) =>
          void (await tx.db
            .insertInto('web_citations')
            .values(row)
            .onConflict((c) => c.columns(['task_id', 'id']).doNothing())
            .execute()),
      )
    },
    /** Addresses that searches and pages showed to the tasks of a tree: results, pages that were read, and what these link to. */
    async shown(treeId: string): Promise<string[]> {
      const ofTree = store.db.selectFrom('tasks').select('id').where('tree_id', '=', treeId)
      const searches = await store.db
        .selectFrom('web_searches')
        .select(['engine', 'query', 'outcome', 'hits'])
        .where('task_id', 'in', ofTree)
        .orderBy('at', 'desc')
        .limit(MOST_SHOWN)
        .execute()
      // A search answered from memory keeps no results of its own.
      const again = searches.filter((one) => one.outcome === 'cached')
      const earlier = await Promise.all(
        again.map(({ engine, query }) =>
          store.db
            .selectFrom('web_searches')
            .select('hits')
            .where('engine', '=', engine)
            .where('query', '=', query)
            .where('outcome', '=', 'ok')
            .orderBy('at', 'desc')
            .limit(1)
            .executeTakeFirst(),
        ),
      )
      const cited = await store.db.selectFrom('web_citations').select('url').where('task_id', 'in', ofTree).execute()
      const read = store.db.selectFrom('web_citations').select('url').where('task_id', 'in', ofTree)
      const pages = await store.db
        .selectFrom('web_pages')
        .select(['url', 'links'])
        .where('final_url', 'in', read)
        .limit(MOST_SHOWN)
        .execute()
      return [
        ...[...searches, ...earlier].flatMap((one) => (one ? (JSON.parse(one.hits) as Hit[]).map((hit) => hit.url) : [])),
        ...cited.map((one) => one.url),
        ...pages.flatMap((page) => [page.url, ...(JSON.parse(page.links) as Link[]).map((link) => link.url)]),
      ]
    },
    /** What a task read, in order. */
    async citations(taskId: string): Promise<Citation[]> {
      const rows = await store.db
        .selectFrom('web_citations')
        .selectAll()
        .where('task_id', '=', taskId)
        .orderBy('fetched_at')
        .orderBy('id')
        .execute()
      return rows.map((row) => ({ id: row.id, taskId: row.task_id, url: row.url, title: row.title, fetchedAt: row.fetched_at }))
    },
  }
}

export function citationOf({ finalUrl, text }: Pick<KeptPage, 'finalUrl' | 'text'>): string {
  return `w${createHash('sha256').update(`${finalUrl}\n${text}`).digest('hex').slice(0, 10)}`
}
