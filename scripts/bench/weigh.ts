/** What a browser fetches of the built page before it shows anything, and the largest script that it fetches later. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/**
 * Compressed bytes of the scripts and styles that the index names, and of the scripts that those import before they run; `later`: of the
 * largest other script.
 */
export function weigh(dist: string): { js: number; css: number; later: number } {
  const seen = new Set<string>()
  const take = (path: string): void => {
    if (seen.has(path) || !existsSync(join(dist, path))) return
    seen.add(path)
    if (!path.endsWith('.js')) return
    const code = readFileSync(join(dist, path), 'utf8')
    for (const [, file] of code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) take(join(dirname(path), file!))
  }
  const html = readFileSync(join(dist, 'index.html'), 'utf8')
  for (const [, path] of html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)) take(path!)
  const size = (path: string) => gzipSync(readFileSync(join(dist, path))).byteLength
  const sum = (end: string) => [...seen].filter((path) => path.endsWith(end)).reduce((bytes, path) => bytes + size(path), 0)
  const others = globSync('**/*.js', { cwd: dist }).filter((path) => !seen.has(path))
  return { js: sum('.js'), css: sum('.css'), later: Math.max(0, ...others.map(size)) }
}
