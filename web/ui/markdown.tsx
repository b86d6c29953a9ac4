/**
 * Markdown that an agent wrote, which means: that anybody on the web may have written. Only plain text formatting survives: HTML in it is
 * shown as text and never parsed, an image is its description (loading it would tell a stranger that this was read), links lead only to
 * http and https. What is left goes through DOMPurify all the same.
 */
import DOMPurify from 'dompurify'
import { Marked } from 'marked'
import { useMemo, useState } from 'react'
import { ansiRuns } from '../ansi.ts'
import { LongText, More } from './long-text.tsx'

const TAGS = 'a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i kbd li ol p pre s strong sub sup table tbody td th thead tr ul'.split(
  ' ',
)
/** Markdown of this size still draws at once; above it is text. */
const SHOWN = 20_000
const MOST = 200_000

/** HTML of the Markdown in which nothing runs and nothing is loaded. */
export function safeHtml(markdown: string): string {
  const marked = new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      html: ({ text }) => (/^<br\s*\/?>$/i.test(text.trim()) ? '<br>' : escaped(text)),
      checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
      image: ({ text, href }) => `<em>[image: ${escaped(text || href)}]</em>`,
    },
  })
  const html = marked.parse(markdown, { async: false })
  const body = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', 'align', 'start'],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^https?:\/\//i,
    RETURN_DOM: true,
  })
  if (!(body instanceof HTMLElement)) return '' // with RETURN_DOM it is always the body
  // They scroll when they are too large, so the keyboard has to get to them.
  for (const wide of body.querySelectorAll('pre, table')) wide.setAttribute('tabindex', '0')
  for (const cell of body.querySelectorAll('td, th')) {
    const words = document.createElement('div')
    words.className = 'cell'
    words.append(...cell.childNodes)
    cell.append(words)
  }
  colour(body)
  for (const link of body.querySelectorAll('a')) {
    if (!link.hasAttribute('href')) continue
    link.setAttribute('rel', 'noopener noreferrer')
    link.setAttribute('target', '_blank')
    const host = new URL(link.href).host
    // Words that look like another address, or foreign letters that look like ours: where it really leads stands beside it.
    if (host.includes('xn--') || looksElsewhere(link.textContent, host)) link.after(` [${host}]`)
  }
  return body.innerHTML
}

/** Output of a terminal in Markdown: its colours where it stands in a block, its words alone elsewhere. */
function colour(body: HTMLElement): void {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT)
  const coded: Text[] = []
  while (walker.nextNode()) if (walker.currentNode.nodeValue?.includes('\u001b')) coded.push(walker.currentNode as Text)
  for (const text of coded) {
    const isBlock = text.parentElement?.closest('pre') !== null
    const runs = ansiRuns(text.data).map((run) => {
      const part = document.createElement('span')
      part.textContent = run.text
      if (isBlock) part.className = run.looks.join(' ')
      return part
    })
    text.replaceWith(...runs)
  }
}

const looksElsewhere = (text: string, host: string): boolean => {
  const named = /^\s*(?:https?:\/\/)?((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})(?=[\s/:?#]|$)/iu.exec(text)?.[1]
  return named !== undefined && named.toLowerCase() !== host.replace(/:\d+$/, '').toLowerCase()
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** Null: it is nested so deep that no parser gets to its ground; then it is shown as text. */
function htmlOrNull(markdown: string): string | null {
  try {
    return safeHtml(markdown)
  } catch (error) {
    if (error instanceof Error && /call stack|recursion/i.test(error.message)) return null
    throw error
  }
}

export function Markdown({ text }: { text: string }) {
  const [all, setAll] = useState(false)
  const shown = text.length > SHOWN && !all ? text.slice(0, SHOWN) : text
  const html = useMemo(() => (shown.length > MOST ? null : htmlOrNull(shown)), [shown])
  if (html === null) return <LongText text={text} shown={MOST} />
  return (
    <>
      {/* biome-ignore lint/security/noDangerouslySetInnerHtml: `safeHtml` is what makes it harmless, and the browser test attacks it. */}
      <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />
      {shown.length < text.length && <More length={text.length} all={false} show={() => setAll(true)} />}
    </>
  )
}
