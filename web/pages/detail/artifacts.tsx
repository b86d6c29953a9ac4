/** The folder of a goal: looking into it, one file at a time beside it, putting files in and getting them out. */
import { CornerLeftUp, Download, File, Folder, Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { pathOf } from '../../api.ts'
import { size } from '../../format.ts'
import { sentence } from '../../live.ts'
import { useRead } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { visible } from '../../visible.ts'
import { detail } from '../../words/detail.ts'
import type { DetailAddress } from './address.ts'
import { Preview } from './preview.tsx'

const words = detail.files

/** What commands and writing leave behind while they work is nobody's result; by its address it can still be looked at. */
const isKept = ({ path }: { path: string }): boolean => !/(?:^|\/)(?:\.tmp|\.[\da-f-]{36}\.tmp)$/.test(path)

/** In the address a folder ends with a slash, a file does not. */
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1)

export function Artifacts({ treeId, address }: { treeId: string; address: DetailAddress }) {
  const path = address.search.path ?? ''
  const folder = folderOf(path)
  const file = path === folder ? null : path
  const query = { path: folder.replace(/\/$/, '') }
  const { data, error, refetch } = useRead(ROUTES.treeFiles, { params: { id: treeId }, query }, { follow: true })
  const [busy, setBusy] = useState(false)
  const picker = useRef<HTMLInputElement>(null)
  const toast = useToast()
  const put = async (files: readonly globalThis.File[]) => {
    setBusy(true)
    for (const one of files) {
      try {
        await send(pathOf(ROUTES.putFile.path, { id: treeId }, { path: `${folder}${one.name}` }), one)
        toast(words.uploaded(one.name), { tone: 'good' })
      } catch (cause) {
        toast(words.uploadFailed(one.name, sentence(cause)), { tone: 'bad' })
      }
    }
    setBusy(false)
    await refetch()
  }
  const go = (to: string) => address.set({ path: to }, 'push')
  return (
    <section className="stack" aria-label={words.label}>
      <div className="timeline-tools">
        <span className="grow crumbs">
          <code>{visible(folder) || words.root}</code>
        </span>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label={words.upload}
          onChange={(event) => {
            void put([...(event.target.files ?? [])])
            event.target.value = ''
          }}
        />
        <Button small disabled={busy} onClick={() => picker.current?.click()}>
          <Upload aria-hidden="true" /> {words.upload}
        </Button>
      </div>
      {error && <ErrorState title={words.failed} cause={error.message} retry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={4} label={detail.reading} />}
      {data && data.items.filter(isKept).length === 0 && folder === '' && <EmptyState title={words.none}>{words.noneHow}</EmptyState>}
      {data && (
        <ul className="file-list">
          {folder !== '' && (
            <li>
              <button type="button" className="file-line" onClick={() => go(folderOf(folder.slice(0, -1)))}>
                <CornerLeftUp aria-hidden="true" /> <span className="grow">{words.up}</span>
              </button>
            </li>
          )}
          {data.items.filter(isKept).map((item) => {
            const name = item.path.slice(item.path.lastIndexOf('/') + 1)
            const Icon = item.kind === 'folder' ? Folder : File
            return (
              <li key={item.path}>
                <button
                  type="button"
                  className="file-line"
                  aria-current={item.path === file || undefined}
                  disabled={item.kind === 'other'}
                  onClick={() => go(item.kind === 'folder' ? `${item.path}/` : item.path)}
                >
                  <Icon aria-hidden="true" />
                  <span className="grow file-name">{visible(name)}</span>
                  <span className="dim">{item.kind === 'file' ? size(item.bytes ?? 0) : words[item.kind]}</span>
                </button>
                {item.kind === 'file' && (
                  <a
                    className="icon-link"
                    href={pathOf(ROUTES.treeFiles.path, { id: treeId }, { path: item.path })}
                    download={name}
                    aria-label={words.download(visible(name))}
                  >
                    <Download aria-hidden="true" />
                  </a>
                )}
              </li>
            )
          })}
        </ul>
      )}
      {data && !data.complete && <p className="dim">{words.notAll}</p>}
      {file !== null && (
        <Preview key={file} treeId={treeId} path={file} bytes={data?.items.find((item) => item.path === file)?.bytes ?? null} />
      )}
    </section>
  )
}

async function send(url: string, file: globalThis.File): Promise<void> {
  const response = await fetch(url, { method: 'PUT', body: file, headers: { 'content-type': 'application/octet-stream' } })
  if (response.ok) return
  const { detail: why } = (await response.json().catch(() => ({}))) as { detail?: string }
  throw new Error(why ?? String(response.status))
}
