/** `node scripts/bench/page.ts`: what a browser fetches of the built page before it shows anything, compressed, against what it may weigh. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** Bytes, compressed. */
const MAY_WEIGH = { js: 190_000, css: 20_000 }

/** Compressed bytes of the scripts and styles that the index names, and of the scripts that those import before they run. */
export function weigh(dist: string): { js: number; css: number } {
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
  const sum = (end: string) =>
    [...seen].filter((path) => path.endsWith(end)).reduce((bytes, path) => bytes + gzipSync(readFileSync(join(dist, path))).byteLength, 0)
  return { js: sum('.js'), css: sum('.css') }
}

if (import.meta.main) {
  const root = dirname(dirname(import.meta.dirname))
  const folder = mkdtempSync(join(tmpdir(), 'banyan-weigh-'))
  try {
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
    const env = { ...process.env, NODE_ENV: 'production' }
    execFileSync(process.execPath, [vite, 'build', 'web', '--outDir', folder, '--logLevel', 'error'], { cwd: root, env, stdio: 'inherit' })
    const weighs = weigh(folder)
    for (const kind of ['js', 'css'] as const) {
      const over = weighs[kind] > MAY_WEIGH[kind]
      console.log(`${kind}  ${(weighs[kind] / 1000).toFixed(1)} kB of ${MAY_WEIGH[kind] / 1000} kB${over ? '  TOO MUCH' : ''}`)
      if (over) process.exitCode = 1
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
