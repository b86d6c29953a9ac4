/**
 * A web page as Markdown that a model reads: the article where there is one, else the page without its furniture. It costs what the page
 * makes it cost (50,000 nested elements: 19 s, measured), so the runtime never calls this itself; `readable.ts` does, beside itself.
 */
import { tables } from '@joplin/turndown-plugin-gfm'
import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import TurndownService from 'turndown'
import type { Link, Readable } from './readable.ts'

const MOST_ELEMENTS = 50_000
const MOST_LINKS = 300
/** An article shorter than this beside a page this many times longer is no article but a teaser or a cookie note. */
const SHORT_ARTICLE = 300
const FURNITURE = 'script,style,noscript,template,iframe,object,embed,svg,canvas,nav,form,dialog,[hidden],[aria-hidden="true"]'
const HIDDEN_STYLE = /display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])|font-size\s*:\s*0(?![.\d])/i

export function markdownOf(html: string, address: string): Readable {
  const document = documentOf(html)
  if (document.querySelectorAll('*').length > MOST_ELEMENTS) throw new Error('too many elements')
  const base = URL.parse(document.querySelector('base[href]')?.getAttribute('href') ?? '', address)?.href ?? address
  for (const element of [...document.querySelectorAll('[style]')])
    if (HIDDEN_STYLE.test(element.getAttribute('style') ?? '')) element.remove()
  for (const element of [...document.querySelectorAll('script,style,noscript,template,[hidden],[aria-hidden="true"]')]) element.remove()
  const links = absoluteLinks(document, base)
  const pageTitle = squeeze(document.querySelector('title')?.textContent ?? '')
  for (const element of [...(document.body?.querySelectorAll('title') ?? [])]) element.remove()
  const whole = squeeze(document.body?.textContent ?? '').length
  const copy = document.cloneNode(true) as Document
  const article = new Readability(copy, { maxElemsToParse: MOST_ELEMENTS, charThreshold: 200, keepClasses: true }).parse()
  const length = squeeze(article?.textContent ?? '').length
  const takeArticle = article?.content && !(length < SHORT_ARTICLE && whole > 3 * length)
  if (!takeArticle) for (const element of [...document.querySelectorAll(FURNITURE)]) element.remove()
  const markdown = converter().turndown(takeArticle ? article.content! : (document.body?.innerHTML ?? ''))
  return { title: squeeze(article?.title ?? '') || pageTitle, text: markdown.trim(), links, how: takeArticle ? 'article' : 'page' }
}

/** The parser makes no head and body of its own where a page leaves them out, as the standard allows. */
function documentOf(html: string): Document {
  const { document } = parseHTML(html)
  const [head, body] = [document.querySelector('html > head'), document.querySelector('html > body')]
  if (head && body) return document
  const title = document.querySelector('title')
  const base = document.querySelector('base[href]')
  for (const element of [...document.querySelectorAll('head,title,meta,base')]) element.remove()
  const inner = (body ?? document.querySelector('html'))?.innerHTML ?? document.toString().replace(/^<!doctype[^>]*>/i, '')
  return parseHTML(`<!doctype html><html><head>${base?.outerHTML ?? ''}${title?.outerHTML ?? ''}</head><body>${inner}</body></html>`)
    .document
}

/** Every link leads somewhere on the web or is none: `javascript:`, `data:` and their like lose their address. */
function absoluteLinks(document: Document, base: string): Link[] {
  const links = new Map<string, Link>()
  for (const anchor of [...document.querySelectorAll('a[href]')]) {
    const url = URL.parse(anchor.getAttribute('href') ?? '', base)
    if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.href.length > 2_048) {
      anchor.removeAttribute('href')
      continue
    }
    anchor.setAttribute('href', url.href)
    const text = squeeze(anchor.textContent ?? '').slice(0, 100)
    const here = url.href.split('#')[0] === base.split('#')[0]
    if (!here && text && links.size < MOST_LINKS && !links.has(url.href)) links.set(url.href, { text, url: url.href })
  }
  return [...links.values()]
}
function converter(): TurndownService {
  const turndown = new TurndownService({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-', emDelimiter: '*' })
  turndown.use(tables)
  turndown.remove(['script', 'style', 'noscript', 'iframe', 'object', 'embed', 'canvas', 'button', 'input', 'select', 'textarea'] as never)
  // A picture is its words: its address would be fetched by whoever shows the text, and tell the site so.
  turndown.addRule('picture', {
    filter: ['img', 'picture', 'video', 'audio'],
    replacement: (_, node) => {
      const words = squeeze((node as Element).getAttribute?.('alt') ?? '')
      return words ? `[picture: ${words.slice(0, 300)}]` : ''
    },
  })
  turndown.addRule('code block', {
    filter: (node) => node.nodeName === 'PRE',
    replacement: (_, node) => {
      const code = (node.textContent ?? '').replace(/\n+$/, '')
      const fence = '`'.repeat(Math.max(3, ...[...code.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length + 1)))
      const language = /language-([\w+#-]{1,30})/.exec(
        `${(node as Element).getAttribute?.('class') ?? ''} ${(node.firstChild as Element | null)?.getAttribute?.('class') ?? ''}`,
      )?.[1]
      return `\n\n${fence}${language ?? ''}\n${code}\n${fence}\n\n`
    },
  })
  return turndown
}

const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim()
