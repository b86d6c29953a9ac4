import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workspaceFiles } from '../core/exec/files.ts'
import { localExec } from '../core/exec/local.ts'
import type { Call, Capabilities } from '../core/tool.ts'
import tool from './run_check.ts'

test('run_check runs nothing where there is no sandbox to hold it to reading, and says what is missing', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-check-')))
  const exec = localExec({ environment: { PATH: '/usr/bin:/bin' }, sandbox: { why: 'bubblewrap is not installed.' } })
  const { signal } = new AbortController()
  const all = {
    files: workspaceFiles(root),
    exec: {
      isolation: exec.isolation,
      run: (command: Parameters<Capabilities['exec']['run']>[0]) => exec.run({ cwd: root, ...command }, signal),
    },
  } as unknown as Capabilities
  try {
    expect(await tool.call({ command: 'touch ran.txt' }, { id: 'c1', attempt: 1, signal } as Call, all)).toMatchObject({
      isError: true,
      text: expect.stringMatching(/must run in a sandbox and was not started. bubblewrap is not installed\. .*Read the files instead/),
    })
    expect(await all.files.list('.', { depth: 1, most: 10 })).toMatchObject({ entries: [] })
  } finally {
    await exec.stop()
    rmSync(root, { recursive: true, force: true })
  }
})
