/** The web page: files of its built folder, and its index for every address that it draws itself. Nothing in it is secret. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Context, MiddlewareHandler } from 'hono'
import type { Env } from './router.ts'

/** Paths that are never the page's. */
const OURS = /^\/(api|admin|mcp|metrics|health|login|openapi\.json)(\/|$)/

export const isPagePath = (path: string): boolean => !OURS.test(path)

/** Stands in the built index where each answer's own nonce goes; `web/vite.config.ts` writes it there. */
export const NONCE_PLACE = '__NONCE__'

/** Answers a GET for a file of the page or for the page; undefined: there is no such file and nobody asked for HTML. */
export function openPage(folder: string): (c: Context<Env>) => Promise<Response | undefined> {
  const nothing = async () => undefined
  let file: MiddlewareHandler | undefined
  const index = () =>
    readFile(join(folder, 'index.html'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  return async (c) => {
    const { path } = c.req
    const isIndex = path === '/' || path === '/index.html'
    const asksForPage = isIndex || (!path.startsWith('/assets/') && (c.req.header('accept') ?? '').includes('text/html'))
    if (!isIndex && existsSync(folder)) {
      file ??= serveStatic({ root: folder })
      const found = (await file(c, nothing)) ?? undefined
      // Names under assets/ hold a hash of what is in them; anything else may change with the next build.
      found?.headers.set('cache-control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
      if (found) return found
    }
    if (!asksForPage) return undefined
    const html = await index()
    if (html === null) return c.text('The web page is not built. `npm start` in the checkout builds it.\n', 503)
    return c.html(html.replaceAll(NONCE_PLACE, c.get('secureHeadersNonce') ?? ''), 200, { 'cache-control': 'no-cache' })
  }
}
