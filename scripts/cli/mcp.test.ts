/** `banyan mcp install`: entries in the settings of other programs, written as they read them. `banyan mcp serve` is tried in core/mcp. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CLIENT, CLIENTS, snippet } from '../../core/contract/mcp-clients.ts'
import { run } from '../testing/peers.ts'
import { merged } from './mcp-clients.ts'
import { ROOT } from './server.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'banyan-install-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const FILES = {
  'claude-code': '.claude.json',
  'claude-desktop': '.config/Claude/claude_desktop_config.json',
  cursor: '.cursor/mcp.json',
  vscode: '.config/Code/User/mcp.json',
  codex: '.codex/config.toml',
  gemini: '.gemini/settings.json',
} as const
const banyan = (...argv: string[]) =>
  run(process.execPath, [join(ROOT, 'scripts', 'cli.ts'), ...argv], {
    env: {
      HOME: home,
      XDG_CONFIG_HOME: join(home, '.config'),
      DATA_DIR: join(home, 'data'),
      BANYAN_URL: '',
      BANYAN_TOKEN: '',
      CODEX_HOME: join(home, '.codex'),
    },
  })
const ARGS = [join(ROOT, 'scripts', 'banyan.mjs'), 'mcp', 'serve']

test.runIf(process.platform === 'linux').each(CLIENTS)(
  '%s gets a bridge that starts this checkout, once however often it is installed',
  async (name) => {
    const file = join(home, FILES[name])
    expect(await banyan('mcp', 'install', name)).toMatchObject({ code: 0 })
    const first = readFileSync(file, 'utf8')
    for (const arg of ARGS) expect(first).toContain(JSON.stringify(arg))
    expect(first).not.toContain('Bearer')
    expect(statSync(file).mode & 0o077).toBe(0)
    const again = await banyan('mcp', 'install', name)
    expect(again.output).toContain('has it already')
    expect(readFileSync(file, 'utf8')).toBe(first)
    expect(readdirSync(dirname(file)).filter((one) => one.includes('before-banyan'))).toEqual([])
  },
)

test('other servers and settings stay, and the settings before are kept in a copy', async () => {
  const file = join(home, FILES.gemini)
  mkdirSync(dirname(file))
  const before = '{"theme":"dark","mcpServers":{"other":{"command":"x"}}}'
  writeFileSync(file, before, { mode: 0o640 })
  await banyan('mcp', 'install', 'gemini')
  const after = JSON.parse(readFileSync(file, 'utf8')) as { theme: string; mcpServers: Record<string, { command: string }> }
  expect(after).toMatchObject({ theme: 'dark', mcpServers: { other: { command: 'x' }, banyan: { args: ARGS } } })
  expect(statSync(file).mode & 0o777).toBe(0o640)
  const copy = readdirSync(dirname(file)).find((one) => one.includes('before-banyan'))!
  expect(readFileSync(join(dirname(file), copy), 'utf8')).toBe(before)
})

test('settings keep their comments, and what is no JSON is left alone and said what to do', async () => {
  const file = join(home, FILES.vscode)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '{ // mine\n  "inputs": [],\n}')
  expect(await banyan('mcp', 'install', 'vscode')).toMatchObject({ code: 0 })
  expect(readFileSync(file, 'utf8')).toMatch(/^\{\n {2}"servers": \{\n {4}"banyan": [\s\S]*\},[\s\S]* \/\/ mine\n {2}"inputs": \[\],\n\}$/)
  writeFileSync(file, '{ mine')
  const { code, output } = await banyan('mcp', 'install', 'vscode')
  expect(code).toBe(1)
  expect(output).toContain('--print')
  expect(readFileSync(file, 'utf8')).toBe('{ mine')
})

test('--print writes nothing', async () => {
  const { stdout } = await banyan('mcp', 'install', 'vscode', '--print')
  expect(JSON.parse(stdout)).toMatchObject({ servers: { banyan: { type: 'stdio', args: ARGS } } })
  expect(existsSync(join(home, FILES.vscode))).toBe(false)
})

describe('a client that sends HTTP itself', () => {
  test('has the address and the token that was given, in the shape that it reads', async () => {
    const shapes = {
      'claude-code': { mcpServers: { banyan: { type: 'http', url: 'http://127.0.0.1:9/mcp', headers: { Authorization: 'Bearer t' } } } },
      cursor: { mcpServers: { banyan: { url: 'http://127.0.0.1:9/mcp', headers: { Authorization: 'Bearer t' } } } },
      vscode: { servers: { banyan: { type: 'http', url: 'http://127.0.0.1:9/mcp', headers: { Authorization: 'Bearer t' } } } },
      gemini: { mcpServers: { banyan: { httpUrl: 'http://127.0.0.1:9/mcp', headers: { Authorization: 'Bearer t' } } } },
    }
    for (const [name, shape] of Object.entries(shapes)) {
      const { stdout } = await banyan('--url', 'http://127.0.0.1:9', '--token', 't', 'mcp', 'install', name, '--http', '--print')
      expect(JSON.parse(stdout), name).toEqual(shape)
    }
  })

  test('gets no admin token, and Claude Desktop cannot', async () => {
    const without = await banyan('mcp', 'install', 'cursor', '--http')
    expect(without).toMatchObject({ code: 2 })
    expect(without.output).toContain('banyan token create')
    expect((await banyan('--token', 't', 'mcp', 'install', 'claude-desktop', '--http')).code).toBe(2)
  })
})

describe("Codex's settings are TOML", () => {
  const entry = { command: '/bin/node', args: ['a b', 'c"d'], env: { BANYAN_URL: 'http://x' } }
  const table = snippet(CLIENT.codex, 'banyan', entry)

  test('an entry is a table with basic strings', () => {
    expect(table).toBe('[mcp_servers.banyan]\ncommand = "/bin/node"\nargs = ["a b", "c\\"d"]\nenv = { "BANYAN_URL" = "http://x" }\n')
  })
  test('it is added behind what is there', () => {
    expect(merged(CLIENT.codex, 'model = "x"\n', 'banyan', entry)).toBe(`model = "x"\n\n${table}`)
  })
  test('it takes the place of the one before with its parts, and nothing else moves', () => {
    const before =
      'model = "x"\n\n[mcp_servers.banyan]\ncommand = "old"\n\n[mcp_servers.banyan.env]\nA = "b"\n\n[mcp_servers.other]\ncommand = "y"\n'
    const after = merged(CLIENT.codex, before, 'banyan', entry)!
    expect(after).toBe(`model = "x"\n\n${table}\n[mcp_servers.other]\ncommand = "y"\n`)
    expect(merged(CLIENT.codex, after, 'banyan', entry)).toBe(after)
  })
})
