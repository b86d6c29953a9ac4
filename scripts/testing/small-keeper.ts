/** The real keeper on a small checkout whose engine is `small-engine.ts`. For proofs in which a runtime asks it for something between two of its lives. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packagesKey } from '../keeper/tree.mjs'
import type { Checkout } from './checkout.ts'

const scripts = dirname(import.meta.dirname)
type Table = {
  active: string
  slots: Record<string, { tree: string; state: string } | null>
  failed: Record<string, unknown>
  events: { type: string }[]
}
export const tableOf = (home: string) => JSON.parse(readFileSync(join(home, 'slots.json'), 'utf8')) as Table

/** Gives a small checkout what a keeper can run. */
export function keepable(source: Checkout): void {
  cpSync(join(scripts, 'testing', 'small-engine.ts'), join(source.folder, 'scripts', 'engine.ts'))
  source.write('package-lock.json', JSON.stringify({ name: 'small', lockfileVersion: 3 }))
}

/** A keeper's home in which the checkout's revision was kept. `page`: hash of the page that lies in its `web/dist`. */
export async function settle(dataDir: string, source: Checkout, page: string | null): Promise<string> {
  const home = join(dataDir, 'keeper')
  const tree = source.git('rev-parse', 'HEAD^{tree}')
  const deps = join('deps', packagesKey(source.read('package-lock.json')))
  const packages = join(home, deps)
  mkdirSync(packages, { recursive: true })
  // The gates run with what a revision would have.
  symlinkSync(join(dirname(scripts), 'node_modules'), join(packages, 'node_modules'))
  cpSync(source.folder, join(home, 'slots', tree), { recursive: true, filter: (path) => !/\/(\.git|node_modules)$/.test(path) })
  symlinkSync(join('..', '..', deps, 'node_modules'), join(home, 'slots', tree, 'node_modules'))
  const request = { id: randomUUID(), kind: 'change', commit: source.git('rev-parse', 'HEAD'), tree, page }
  writeFileSync(join(home, 'checkout.json'), JSON.stringify(request))
  await served(home, dataDir)
  return home
}

/**
 * Runs the keeper as after a power cut, until it serves and has ended what it was asked for; `look` may ask what it serves. `watched`: it is
 * enough that it serves, because the watch takes an hour.
 */
export async function served(
  home: string,
  dataDir: string,
  { look = async () => undefined, watched = false }: { look?: (url: string) => Promise<void>; watched?: boolean } = {},
): Promise<void> {
  const argv = [`--home=${home}`, `--checkout=${dataDir}`, '--scale=0.1', `--watch-seconds=${watched ? 3_600 : 0.3}`]
  const keeper = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(scripts, 'keeper', 'keeper.mjs'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [words, out] = ['', '']
  keeper.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  keeper.stderr.setEncoding('utf8').on('data', (text: string) => (words += text))
  const seen = eventsOf(home).length
  const end = Date.now() + 60_000
  const settled = () => {
    const last = eventsOf(home).slice(seen).at(-1)?.type
    const table = existsSync(join(home, 'slots.json')) ? tableOf(home) : null
    const isSettled = watched || table?.slots[table.active]?.state === 'kept'
    return (last === 'ready' || last === 'kept') && isSettled && !existsSync(join(home, 'request.json'))
  }
  while (!settled()) {
    if (Date.now() > end || keeper.exitCode !== null) throw new Error(`the keeper does not serve: ${words}`)
    await new Promise((resume) => setTimeout(resume, 20))
  }
  await look(out.trim().split('\n').at(-1)!)
  const gone = once(keeper, 'exit')
  keeper.kill('SIGTERM')
  await gone
}
const eventsOf = (home: string) => (existsSync(join(home, 'slots.json')) ? tableOf(home).events : [])
