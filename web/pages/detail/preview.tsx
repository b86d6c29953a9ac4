/**
 * One file of an agent, looked at: by what it holds, not by its name. Text is text, pictures of the few kinds that a browser decodes
 * harmlessly are pictures; HTML and SVG are text until a person wants them drawn, in a frame without scripts, origin and network.
 */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { pathOf } from '../../api.ts'
import { size } from '../../format.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Data } from '../../ui/data.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { visible } from '../../visible.ts'
import { detail } from '../../words/detail.ts'
import { Part } from './call.tsx'

const words = detail.files
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp']
/** Bytes beyond which a file is fetched, not shown. */
const MOST = { text: 2_000_000, picture: 20_000_000, drawn: 500_000 }

type Looked = { type: string; bytes: number; text: string | null; hash: string | null }

export function Preview({ treeId, path, bytes }: { treeId: string; path: string; bytes: number | null }) {
  const url = pathOf(ROUTES.treeFiles.path, { id: treeId }, { path })
  const { data, error, refetch } = useQuery({ queryKey: ['preview', treeId, path, bytes], queryFn: ({ signal }) => look(url, signal) })
  const name = path.slice(path.lastIndexOf('/') + 1)
  return (
    <Part title={visible(name)}>
      {error && <ErrorState title={words.gone} cause={error.message} retry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={6} label={detail.reading} />}
      {data && (
        <>
          <p className="dim facts">
            <span>{data.type.split(';')[0]}</span>
            <span>{size(data.bytes)}</span>
            <span className="hash">
              {words.hash} <code>{data.hash ?? words.noHash}</code> {data.hash && <CopyButton text={data.hash} />}
            </span>
          </p>
          <Body name={name} url={url} file={data} />
        </>
      )}
    </Part>
  )
}

function Body({ name, url, file }: { name: string; url: string; file: Looked }) {
  const [drawn, setDrawn] = useState(false)
  if (PICTURES.includes(file.type)) {
    if (file.bytes > MOST.picture) return <p className="dim">{words.tooLong(size(file.bytes))}</p>
    return <img className="picture" src={url} alt={visible(name)} decoding="async" />
  }
  if (!file.type.startsWith('text/plain')) return <p className="dim">{words.noPreview(file.type)}</p>
  if (file.text === null) return <p className="dim">{words.tooLong(size(file.bytes))}</p>
  if (/\.(md|markdown)$/i.test(name)) return <Markdown text={file.text} />
  const canDraw = /\.(html?|svg)$/i.test(name) && file.text.length <= MOST.drawn
  if (!canDraw) return /\.json$/i.test(name) ? <Json text={file.text} /> : <LongText text={file.text} shown={20_000} />
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a line of tools everywhere */}
      <div className="kind-filter" role="group" aria-label={words.preview}>
        <button type="button" className="chip" aria-pressed={!drawn} onClick={() => setDrawn(false)}>
          {words.asText}
        </button>
        <button type="button" className="chip" aria-pressed={drawn} onClick={() => setDrawn(true)}>
          {words.drawn}
        </button>
      </div>
      {drawn ? (
        <iframe
          className="drawn"
          title={words.frame(visible(name))}
          sandbox=""
          referrerPolicy="no-referrer"
          srcDoc={`${LOCK}${file.text}`}
        />
      ) : (
        <LongText text={file.text} shown={20_000} />
      )}
    </>
  )
}
/** Comes before anything of the file, so that nothing of it is loaded, not even from here. */
const LOCK = `<!doctype html><meta http-equiv="content-security-policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'">`

function Json({ text }: { text: string }) {
  try {
    return <Data value={JSON.stringify(JSON.parse(text), null, 2)} />
  } catch {
    return <LongText text={text} shown={20_000} /> // named so, and no JSON
  }
}

async function look(url: string, signal: AbortSignal): Promise<Looked> {
  const head = await fetch(url, { method: 'HEAD', signal })
  if (!head.ok) throw new Error(detail.files.gone)
  const type = head.headers.get('content-type') ?? ''
  const bytes = Number(head.headers.get('content-length') ?? 0)
  const shown = type.startsWith('text/plain') ? bytes <= MOST.text : PICTURES.includes(type) && bytes <= MOST.picture
  if (!shown) return { type, bytes, text: null, hash: null }
  const content = await (await fetch(url, { signal })).arrayBuffer()
  return {
    type,
    bytes,
    text: type.startsWith('text/plain') ? new TextDecoder().decode(content) : null,
    // Missing where the page is served over plain HTTP from another machine.
    hash: crypto.subtle ? hex(await crypto.subtle.digest('SHA-256', content)) : null,
  }
}
const hex = (bytes: ArrayBuffer): string => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
