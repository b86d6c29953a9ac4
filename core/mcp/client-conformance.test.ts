/** The official conformance suite against Banyan as a client: the functions that meet other people's servers, logins included. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { installPeers, peer, run } from '../../scripts/testing/peers.ts'

/** More than half of what a client costs is reading its own code; the first one reads it for all. */
const cache = mkdtempSync(join(tmpdir(), 'banyan-compiled-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
const ready = await installPeers()
const CLIENT = `"${process.execPath}" --no-warnings "${join(import.meta.dirname, 'fixture', 'conformance-client.ts')}"`
/** It starts a client for each scenario, all of them at once. */
const PATIENCE_MS = 100_000

test.runIf(ready).each([
  { revision: '2025-11-25', scored: 18 },
  { revision: '2026-07-28', scored: 32 },
])(
  'every client scenario that $revision scores passes',
  async ({ revision, scored }) => {
    const suite = peer('conformance-alpha/dist/index.js')
    const given = ['client', '--command', CLIENT, '--requirements', revision, '--timeout', String(PATIENCE_MS)]
    const { code, output } = await run(process.execPath, [suite, ...given], { env: { NODE_COMPILE_CACHE: cache } })
    expect(code, output).toBe(0)
    expect(output.split('SUITE SUMMARY')[1]?.match(/^✓ /gm), output).toHaveLength(scored)
  },
  120_000,
)
