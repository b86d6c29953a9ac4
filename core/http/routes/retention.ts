/** Old goals: what would leave the database, letting it go, and a goal as a file. */
import { Readable } from 'node:stream'
import type { Retention } from '../../observe/retention.ts'
import type { Handlers } from '../router.ts'

export function retentionRoutes(
  retention: Pick<Retention, 'preview' | 'run' | 'export'>,
): Pick<Handlers, 'retention' | 'runRetention' | 'exportTree'> {
  return {
    retention: ({ query }) => retention.preview(query.days),
    runRetention: ({ body, by }) => retention.run(by.name, body.days),
    async exportTree({ param, headOnly }) {
      const id = param('id')
      const lines = retention.export(id)
      const first = await lines.next() // a goal that is not there is refused before the answer begins
      const headers = {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="${id.replace(/[^\w.-]/g, '_')}.jsonl"`,
      }
      if (headOnly) return new Response(null, { headers })
      async function* all() {
        if (!first.done) yield first.value
        yield* lines
      }
      return new Response(Readable.toWeb(Readable.from(all())) as ReadableStream, { headers })
    },
  }
}
