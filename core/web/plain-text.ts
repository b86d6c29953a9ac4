/**
 * The words of a page that is too large or too strange to be laid out. One pass over its tokens at a cost that only its length decides: a
 * parser that keeps the open elements takes 4 s for 100,000 nested ones, and their square for more.
 */
import { Tokenizer } from 'htmlparser2'
import type { Link, Readable } from './readable.ts'

const SILENT = new Set(['script', 'style', 'noscript', 'template', 'iframe', 'svg', 'object', 'canvas', 'title'])
const BLOCKS = new Set(
  'address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table td th tr ul'.split(
    ' ',
  ),
)
const MOST_LINKS = 300

export function plainTextOf(html: string, address: string): Readable {
  const parts: string[] = []
  const links = new Map<string, Link>()
  let silent: string | null = null
  let title = ''
  let tag = ''
  let attribute = ''
  let value = ''
  let href = ''
  let anchor: Link | null = null
  const say = (text: string) => {
    if (silent === 'title' && title.length < 500) title += text
    if (silent !== null) return
    parts.push(text)
    if (anchor && anchor.text.length < 100) anchor.text += text
  }
  const opened = () => {
    if (BLOCKS.has(tag)) say('\n')
    if (silent === null && SILENT.has(tag)) silent = tag
    if (tag !== 'a' || href === '') return
    const url = URL.parse(href, address)
    anchor = url && /^https?:$/.test(url.protocol) && url.href.length <= 2_048 ? { url: url.href, text: '' } : null
  }
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname(start, end) {
        tag = html.slice(start, end).toLowerCase()
        href = ''
      },
      onattribname(start, end) {
        attribute = html.slice(start, end).toLowerCase()
        value = ''
      },
      onattribdata(start, end) {
        if (attribute === 'href') value += html.slice(start, end)
      },
      onattribentity(code) {
        if (attribute === 'href') value += String.fromCodePoint(code)
      },
      onattribend() {
        if (attribute === 'href' && href === '') href = value
      },
      onopentagend: opened,
      onselfclosingtag: opened,
      ontext: (start, end) => say(html.slice(start, end)),
      ontextentity: (code) => say(String.fromCodePoint(code)),
      onclosetag(start, end) {
        const name = html.slice(start, end).toLowerCase()
        if (name === silent) silent = null
        if (BLOCKS.has(name)) say('\n')
        if (name !== 'a' || !anchor) return
        const text = squeeze(anchor.text).slice(0, 100)
        if (text && links.size < MOST_LINKS && !links.has(anchor.url)) links.set(anchor.url, { text, url: anchor.url })
        anchor = null
      },
      oncdata: nothing,
      oncomment: nothing,
      ondeclaration: nothing,
      onprocessinginstruction: nothing,
      onend: nothing,
    },
  )
  tokenizer.write(html)
  tokenizer.end()
  const text = parts
    .join('')
    .replace(/[ \t\f\v\u00a0]+/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
  return { title: squeeze(title), text, links: [...links.values()], how: 'text' }
}

const nothing = () => undefined
const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim()
