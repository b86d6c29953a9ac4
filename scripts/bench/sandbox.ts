/** What a command costs to start, plain and in a sandbox: 50 of each in turn after a few to warm up. Prints one JSON object. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtEnvironment } from '../../core/exec/environment.ts'
import { handOver, localExec } from '../../core/exec/local.ts'
import { openIsolation } from '../../core/exec/probe.ts'

const RUNS = 50
const WARM_UP = 5
const base = mkdtempSync(join(tmpdir(), 'banyan-bench-'))
const workspace = join(base, 'workspaces/one')
mkdirSync(workspace, { recursive: true })
const runAs = process.getuid?.() === 0 ? { runAs: { uid: 65534, gid: 65534 } } : {}
if (runAs.runAs) await handOver(workspace, runAs.runAs)
const path = '/usr/bin:/bin'
const parts = await openIsolation({ folder: join(base, 'sandbox'), path, hidden: [base], node: process.execPath, ...runAs })
const exec = localExec({ environment: builtEnvironment({ PATH: path }), sandbox: parts.sandbox, cgroups: parts.cgroups, ...runAs })
// As in an installation that root owns: the way to the workspace is open to the user that plain commands run as.
chmodSync(base, 0o711)

async function once(isolation: 'plain' | 'sandbox'): Promise<number> {
  const command = { run: { argv: ['/bin/true'] }, cwd: workspace, timeoutMs: 10_000, outputBytes: 1_000, isolation }
  const began = performance.now()
  const { exitCode, stderr } = await exec.run(command, new AbortController().signal)
  if (exitCode !== 0) throw new Error(`a ${isolation} command ended with ${exitCode}: ${stderr}`)
  return performance.now() - began
}
const at = (list: number[], part: number): number => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))]!

const plain: number[] = []
const sandboxed: number[] = []
const isolated = parts.report.sandbox.ok
for (let i = 0; i < RUNS + WARM_UP; i++) {
  const one = await once('plain')
  const other = isolated ? await once('sandbox') : Number.NaN
  if (i < WARM_UP) continue
  plain.push(one)
  sandboxed.push(other)
}
await exec.stop()
rmSync(base, { recursive: true, force: true })
const figures = { plainMs: at(plain, 0.5), plainP95: at(plain, 0.95) }
console.log(
  JSON.stringify(
    isolated
      ? { ...figures, sandboxMs: at(sandboxed, 0.5), sandboxP95: at(sandboxed, 0.95), overP95: at(sandboxed, 0.95) - at(plain, 0.95) }
      : figures,
  ),
)
