/**
 * Real small changes of this very source, in a clone of it, driven by calls as a model would make them: through every gate and a person's
 * approval to the main branch. `node scripts/proof/good-updates.ts`; minutes a change. It prints what each gate took.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkoutAt } from '../testing/checkout.ts'
import type { Scripted } from '../testing/scripted.ts'
import { begin, self, submit, write } from '../testing/self.ts'

const ROOT = dirname(dirname(import.meta.dirname))
const CHANGES: Record<string, Scripted[]> = {
  'a line of the overview': [
    begin,
    write(
      'docs/decisions/0099-small-steps.md',
      '# Small steps\n\nChanges of Banyan by Banyan are small, because a small one can be taken back alone.\n',
    ),
    submit({ kind: 'docs', title: 'Why changes of Banyan by Banyan are small is written down' }),
  ],
  'what a duration says': [
    begin,
    write(
      'scripts/cli/duration.test.ts',
      "import { expect, test } from 'vitest'\nimport { duration } from './words.ts'\n\ntest('a length of time is told in words that are short', () => {\n  expect(duration(0).length).toBeLessThan(8)\n  expect(duration(90_000).length).toBeLessThan(8)\n})\n",
    ),
    submit({ kind: 'refactor', title: 'How long something took is told in few words, and a test holds it' }),
  ],
}

const folder = mkdtempSync(join(tmpdir(), 'banyan-clone-'))
execFileSync('git', ['clone', '--quiet', '--no-hardlinks', ROOT, folder])
execFileSync('git', ['-C', folder, 'checkout', '--quiet', '-B', 'main'])
const s = await self(CHANGES, { source: checkoutAt(folder), keepSource: true })
let bad = 0
try {
  for (const name of Object.keys(CHANGES)) {
    const began = performance.now()
    const id = await s.goal(name)
    try {
      let change = await s.until(id, 'review', 'merged')
      if (change.state === 'review' && change.decidedBy === null) await s.approve(await s.item(id))
      change = await s.until(id, 'merged')
      const { gates } = await s.runtime.changes.get(change.id)
      console.log(
        `merged ${name}: level ${change.level}, ${Math.round((performance.now() - began) / 1_000)} s, decided by ${change.decidedBy}`,
      )
      for (const gate of gates) console.log(`  ${gate.verdict.padEnd(8)}${gate.name} ${(gate.ms / 1_000).toFixed(1)} s: ${gate.summary}`)
    } catch (error) {
      bad++
      console.log(`NOT MERGED ${name}: ${error instanceof Error ? error.message : error}`)
      const [change] = (await s.changes()).filter((one) => one.treeId === id)
      for (const gate of change ? (await s.runtime.changes.get(change.id)).gates : [])
        console.log(`  ${gate.verdict.padEnd(8)}${gate.name} ${(gate.ms / 1_000).toFixed(1)} s: ${gate.summary}`)
    }
  }
} finally {
  await s.end()
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = bad > 0 ? 1 : 0
