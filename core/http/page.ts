/** The web page: files of its built folder, and its index for every address that it draws itself. Nothing in it is secret. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Context, MiddlewareHandler } from 'hono'
import type { Env } from './router.ts'

/** Paths that are never the page's. */
const OURS = /^\/(api|admin|mcp|metrics|health|login|openapi\.json)(\/|$)/

export const isPagePath = (path: string): boolean => !OURS.test(path)

/** Answers a GET for a file of the page or for the page; undefined: there is no such file and nobody asked for HTML. */
export function openPage(folder: string): (c: Context<Env>) => Promise<Response | undefined> {
  const nothing = async () => undefined
  let serve: { file: MiddlewareHandler; index: MiddlewareHandler } | undefined
  return async (c) => {
    const { path } = c.req
    const asksForPage = !path.startsWith('/assets/') && (path === '/' || (c.req.header('accept') ?? '').includes('text/html'))
    if (!existsSync(join(folder, 'index.html')))
      return asksForPage ? c.text('The web page is not built. `npm start` in the checkout builds it.\n', 503) : undefined
    serve ??= { file: serveStatic({ root: folder }), index: serveStatic({ root: folder, path: 'index.html' }) }
    const found = (await serve.file(c, nothing)) ?? (asksForPage ? await serve.index(c, nothing) : undefined)
    // Names under assets/ hold a hash of what is in them; anything else may change with the next build.
    found?.headers.set('cache-control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    return found ?? undefined
  }
}
