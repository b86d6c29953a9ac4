/** What has versions tells its newest as an entity tag, and is saved only over the version that the writer saw, if they say which. */
import { Fault } from '../../contract/fault.ts'
import type { ReadHeader } from '../auth.ts'

export const tagged = (item: { version: number }): Response =>
  new Response(JSON.stringify(item), { headers: { 'content-type': 'application/json', etag: `"${item.version}"` } })

/** The version that a writer says they began with; `*` and no header: whatever there is. */
export function startedFrom(header: ReadHeader): number | undefined {
  const tag = header('if-match')?.trim()
  if (tag === undefined || tag === '' || tag === '*') return undefined
  const [, n] = /^"?(\d{1,9})"?$/.exec(tag) ?? []
  if (n === undefined) throw new Fault('invalid', 'If-Match must be the ETag of what was read, which is its version, such as "3".')
  return Number(n)
}
