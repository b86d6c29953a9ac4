/** Files that are sent before the goal that needs them. */
import { UPLOAD_LIMIT } from '../../contract/api.ts'
import { FETCH_LIMIT, FETCH_MS, type Upload } from '../../contract/api-goals.ts'
import { Fault } from '../../contract/fault.ts'
import type { Web } from '../../web/web.ts'
import type { Handlers } from '../router.ts'
import { typeOf } from './files.ts'

export type UploadParts = {
  add(
    file: { name: string; by: string },
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    how: { limit: number; typeOf: (head: Uint8Array) => Promise<string> },
  ): Promise<Upload>
  remove(id: string): Promise<void>
}

export function uploadRoutes({
  uploads,
  web,
}: {
  uploads: UploadParts
  web: Pick<Web, 'download'>
}): Pick<Handlers, 'addUpload' | 'fetchUpload' | 'removeUpload'> {
  return {
    async addUpload({ query: { name }, stream, by }) {
      try {
        if ((stream.announced ?? 0) > UPLOAD_LIMIT)
          throw new Fault('too_large', `The file is larger than ${UPLOAD_LIMIT / 1e6} MB; split it, or put it on the machine another way.`)
        return await uploads.add({ name, by: by.name }, stream.chunks(), { limit: UPLOAD_LIMIT, typeOf })
      } catch (error) {
        if (error instanceof Fault) await stream.drain()
        throw error
      }
    },
    async fetchUpload({ body, signal, by }) {
      const { url, name } = body
      const file = await web.download(url, { maxBytes: FETCH_LIMIT, timeoutMs: FETCH_MS }, signal)
      return uploads.add({ name: name ?? file.name, by: by.name }, [file.bytes], { limit: FETCH_LIMIT, typeOf })
    },
    async removeUpload({ param }): Promise<undefined> {
      await uploads.remove(param('id'))
    },
  }
}
