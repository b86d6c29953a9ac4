/**
 * What each gate takes for a change of one leaf of this very source, in a clone of it: `node scripts/bench/gates.ts`; minutes. A table, and the log of a
 * gate that failed.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { NOBODY } from '../../core/exec/local.ts'
import { openGates } from '../../core/self/gates.ts'
import { openPackages } from '../../core/self/packages.ts'
import { openSource } from '../../core/self/repository.ts'
import { openWalls } from '../../core/self/walls.ts'
import { checkoutAt } from '../testing/checkout.ts'

const ROOT = dirname(dirname(import.meta.dirname))
const LEAF = 'tools/read_file.ts'
const PATHS = '/usr/local/bin:/usr/bin:/bin'

const home = mkdtempSync(join(tmpdir(), 'banyan-gates-'))
const folder = join(home, 'gates')
try {
  execFileSync('chmod', ['0711', home])
  const checkout = checkoutAt(join(home, 'checkout'))
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', ROOT, checkout.folder])
  checkout.git('checkout', '--quiet', '-B', 'main')
  const source = openSource({ checkout: checkout.folder, dataDir: home, path: PATHS })
  const base = await source.tip()
  checkout.write(LEAF, `${checkout.read(LEAF)}\n// A comment more.\n`)
  const submitted = checkout.commit('A leaf says more')
  await source.take(join(checkout.folder, '.git'), submitted, 'bench')
  const made = await source.candidate(base, submitted, { message: 'A leaf says more', at: 0, author: 'bench' })
  if (made.conflicts) throw new Error('the clone moved')
  const runAs = process.getuid?.() === 0 ? NOBODY : undefined
  const packages = realpathSync(join(ROOT, 'node_modules'))
  const walls = await openWalls({ folder, path: PATHS, node: process.execPath, runAs, packages })
  if ('why' in walls) throw new Error(walls.why)
  const gates = openGates({
    source,
    walls,
    packages,
    newPackages: openPackages({
      source,
      installed: packages,
      lock: await source.text(base, 'package-lock.json'),
      folder: join(home, 'deps'),
      path: PATHS,
    }),
    folder,
    pages: join(home, 'pages'),
    copyDatabase: null,
    databaseSize: async () => 0,
    runAs,
    redact: (text) => text,
    now: () => performance.now(),
  })
  const began = performance.now()
  const { passed } = await gates.run(
    { base, commit: made.commit, tree: made.tree, kind: 'feature', tainted: false },
    {
      quick: false,
      tell: async ({ name, verdict, ms, summary, log }) => {
        console.log(`${(ms / 1_000).toFixed(1).padStart(7)} s  ${verdict.padEnd(8)}${name}: ${summary}`)
        if (verdict === 'failed') console.log(log)
      },
    },
  )
  console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  in all`)
  process.exitCode = passed ? 0 : 1
  await source.stop()
} finally {
  rmSync(home, { recursive: true, force: true })
}
