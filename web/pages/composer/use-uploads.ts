/** Files on their way to the server. One that has arrived belongs to the draft; one that is on its way is lost with the page. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { ROUTES, UPLOAD_LIMIT } from '../../../core/contract/api.ts'
import { useBanyan } from '../../banyan.ts'
import { sentence } from '../../live.ts'
import { useToast } from '../../toasts.ts'
import { composer as words } from '../../words/composer.ts'
import type { Attached } from './draft.ts'
import type { Drafting } from './use-draft.ts'

/** `share` of it that is sent, 0 to 1; null: the server fetches it, and how far it is is not known. `again`: sends it once more, where that may help. */
export type Going = { n: number; name: string; share: number | null; fault: string | null; again: (() => void) | null; stop(): void }

export function useUploads(change: Drafting['change']) {
  const { api } = useBanyan()
  const toast = useToast()
  const [going, setGoing] = useState<readonly Going[]>([])
  const counter = useRef(0)
  const stops = useRef(new Map<number, AbortController>())
  useEffect(
    () => () => {
      for (const stop of stops.current.values()) stop.abort()
    },
    [],
  )
  const update = useCallback((n: number, to: Partial<Going> | null) => {
    setGoing((all) => all.flatMap((one) => (one.n !== n ? [one] : to === null ? [] : [{ ...one, ...to }])))
  }, [])

  const send = useCallback(
    (file: File, name: string) => {
      const n = ++counter.current
      const control = new AbortController()
      const stop = () => {
        control.abort()
        update(n, null)
      }
      const fail = (fault: string, again = false) =>
        update(n, {
          fault,
          again: again
            ? () => {
                update(n, null)
                send(file, name)
              }
            : null,
        })
      setGoing((all) => [...all, { n, name, share: 0, fault: null, again: null, stop }])
      if (file.size > UPLOAD_LIMIT) return fail(words.fileTooLarge(name, UPLOAD_LIMIT))
      stops.current.set(n, control)
      void readable(file)
        .then((ok) => {
          if (!ok) throw new Error(words.fileFolder(name))
          return api.upload(file, name, { progress: (share) => update(n, { share }), signal: control.signal })
        })
        .then(({ id, name, type, bytes, expiresAt }) => {
          update(n, null)
          change((draft) => ({ ...draft, attachments: [...draft.attachments, { id, name, type, bytes, expiresAt }] }))
        })
        .catch((cause: unknown) => {
          if (control.signal.aborted) return
          const why = sentence(cause)
          fail(why === words.fileFolder(name) ? why : words.fileFailed(name, why), why !== words.fileFolder(name))
        })
        .finally(() => stops.current.delete(n))
    },
    [api, change, update],
  )

  const fetchFrom = useCallback(
    (url: string) => {
      const n = ++counter.current
      const control = new AbortController()
      const stop = () => {
        control.abort()
        update(n, null)
      }
      setGoing((all) => [...all, { n, name: url, share: null, fault: null, again: null, stop }])
      stops.current.set(n, control)
      api
        .call(ROUTES.fetchUpload, { body: { url }, signal: control.signal })
        .then(({ id, name, type, bytes, expiresAt }) => {
          update(n, null)
          change((draft) => ({ ...draft, attachments: [...draft.attachments, { id, name, type, bytes, expiresAt }] }))
        })
        .catch((cause: unknown) => {
          if (control.signal.aborted) return
          const again = () => {
            update(n, null)
            fetchFrom(url)
          }
          update(n, { fault: words.urlFailed(url, sentence(cause)), again })
        })
        .finally(() => stops.current.delete(n))
    },
    [api, change, update],
  )

  return {
    going,
    fetchFrom,
    add: (files: Iterable<File>) => {
      for (const file of files) send(file, file.name || words.pasted(counter.current + 1))
    },
    /** The file goes from the draft at once, and from the server behind it. */
    remove: (file: Attached) => {
      change((draft) => ({ ...draft, attachments: draft.attachments.filter((one) => one.id !== file.id) }))
      api.call(ROUTES.removeUpload, { params: { id: file.id } }).catch((cause: unknown) => toast(sentence(cause), { tone: 'bad' }))
    },
  }
}

/** A folder that is dropped looks like a file until it is read. */
const readable = (file: File): Promise<boolean> =>
  file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    )
