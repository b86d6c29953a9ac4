import { describe, expect, test } from 'vitest'
import { builtEnvironment, workspaceEnvironment } from './environment.ts'

describe('the environment of a command', () => {
  test('has the PATH and LANG of the machine and nothing else of it', () => {
    const host = { PATH: '/opt/bin', LANG: 'de_DE.UTF-8', ANTHROPIC_API_KEY: 'sk-secret' }
    expect(builtEnvironment(host)).toEqual({ PATH: '/opt/bin', LANG: 'de_DE.UTF-8' })
  })

  test('has usable values on a machine that names none', () => {
    expect(builtEnvironment({ PATH: '', LANG: undefined })).toEqual({ PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' })
  })

  test('takes what is named for it', () => {
    expect(builtEnvironment({ PATH: '/bin' }, { CI: '1', PATH: '/mine' })).toEqual({ PATH: '/mine', LANG: 'C.UTF-8', CI: '1' })
  })

  test('puts HOME and temporary files into the workspace unless told otherwise', () => {
    expect(workspaceEnvironment('/ws', {})).toEqual({ HOME: '/ws', TMPDIR: '/ws/.tmp' })
    expect(workspaceEnvironment('/ws/sub', { HOME: '/ws' })).toEqual({ HOME: '/ws', TMPDIR: '/ws/.tmp' })
    expect(workspaceEnvironment('/ws', { TMPDIR: '/tmp' })).toEqual({ HOME: '/ws', TMPDIR: '/tmp' })
  })
})
