import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkEvidence } from './evidence.ts'
import { workspaceFiles } from './files.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'banyan-evidence-'))
})
afterEach(() => rmSync(root, { recursive: true }))

describe('evidence', () => {
  test('that is a file must exist in the workspace, and its size is recorded', async () => {
    writeFileSync(join(root, 'report.md'), '# Report')
    mkdirSync(join(root, 'dist'))
    symlinkSync('/etc/passwd', join(root, 'link'))
    const claims = ['report.md', 'dist', 'missing.md', '../outside.md', 'link'].map((path) => ({ kind: 'file' as const, path }))
    const checked = await checkEvidence(workspaceFiles(root), claims)
    expect(checked.map((item) => item.ok)).toEqual([true, true, false, false, false])
    expect(checked[0]).toMatchObject({ bytes: 8 })
    expect(checked[2]?.problem).toBe('There is no "missing.md" in the workspace.')
    expect(checked[3]?.problem).toMatch(/leaves the workspace/)
    expect(checked[4]?.problem).toMatch(/leads out of the workspace/)
  })

  test('that is a command counts when it succeeded', async () => {
    const checked = await checkEvidence(workspaceFiles(root), [
      { kind: 'command', command: 'npm test', exitCode: 0 },
      { kind: 'command', command: 'npm run lint', exitCode: 2 },
    ])
    expect(checked.map((item) => item.ok)).toEqual([true, false])
    expect(checked[1]?.problem).toMatch(/exit code 2/)
  })

  test('that is a link is judged by its form and says so', async () => {
    const checked = await checkEvidence(workspaceFiles(root), [
      { kind: 'link', url: 'https://example.org/report' },
      { kind: 'link', url: 'file:///etc/passwd' },
      { kind: 'link', url: 'javascript:alert(1)' },
    ])
    expect(checked.map((item) => item.ok)).toEqual([true, false, false])
    expect(checked[0]?.problem).toMatch(/not fetched/)
  })

  test.each([
    ['kept', true, undefined],
    ['watching', true, /is being watched, and is not kept yet/],
    ['restarting', true, /restarts with it/],
    ['merged', true, /from the next start on/],
    ['review', false, /has not landed yet: it is in the state review/],
    ['undone', false, /was taken back \(it crashed\)\.$/],
    ['refused', false, /was refused \(it crashed\)\.$/],
  ] as const)('that is a change which is %s counts: %s', async (state, ok, words) => {
    const ownChange = async (id: string) => (id === 'ch_1' ? { id, title: 'Greets louder', state, note: 'it crashed.' } : null)
    const [own, other] = await checkEvidence(
      workspaceFiles(root),
      [
        { kind: 'change', id: 'ch_1' },
        { kind: 'change', id: 'ch_2' },
      ],
      ownChange,
    )
    expect(own).toMatchObject({ kind: 'change', id: 'ch_1', title: 'Greets louder', state, ok })
    expect(own?.problem ?? '').toMatch(words ?? /^$/)
    expect(other).toEqual({ kind: 'change', id: 'ch_2', ok: false, problem: 'Your goal has proposed no change "ch_2".' })
  })
})
