import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { asCommand, asRequest, asToolCall } from './copy-as.ts'
import type { Body } from './draft.ts'

/** The words that a shell really makes of a command, without the program's own name. */
function wordsOf(command: string): string[] {
  const show = (program: string) => `${program}() { for word in "$@"; do printf '%s\\0' "$word"; done; }`
  const said = execFileSync('/bin/sh', ['-c', `${show('npx')}\n${show('curl')}\n${command}`], {
    encoding: 'utf8',
    env: { BANYAN_TOKEN: 'tok' },
  })
  return said.split('\0').slice(0, -1)
}
const NASTY = `It's "$HOME" \`date\` \\ !x\n2. $(reboot) ; * ~ # ü 🌳`

describe('a goal copied for the command line', () => {
  test('reaches the program word for word, whatever is in it', () => {
    expect(wordsOf(asCommand({ goal: NASTY }, []))).toEqual(['banyan', 'goal', '--', NASTY])
  })
  test('says every setting', () => {
    const body: Body = {
      goal: '-v is what?',
      agent: 'researcher',
      model: 'openai/o',
      approval: 'run_free',
      priority: -10,
      workspace: 'shared',
      mode: 'step',
      example: 'commands',
      budget: { dollars: 0.000001, tokens: 1_000_000_000 },
      criteria: ['it is there', "it's right"],
      plan: true,
    }
    expect(wordsOf(asCommand(body, ["it's.txt", '-rf']))).toEqual([
      ...['banyan', 'goal', '--agent=researcher', '--example=commands', '--model=openai/o', '--approval=run_free', '--workspace=shared'],
      ...[
        '--mode=step',
        '--priority=-10',
        '--budget=dollars=0.000001,tokens=1000000000',
        '--attach',
        "it's.txt",
        './-rf',
        '--criteria=it is there',
        "--criteria=it's right",
        '--plan',
        '--',
        '-v is what?',
      ],
    ])
  })
})

describe('a goal copied as an HTTP call', () => {
  test('holds exactly the body, and the token of the environment', () => {
    const words = wordsOf(asRequest({ goal: NASTY, budget: { dollars: 2 } }, 'http://127.0.0.1:8000'))
    expect(JSON.parse(words.at(-1)!)).toEqual({ goal: NASTY, budget: { dollars: 2 } })
    expect(words).toContain('Authorization: Bearer tok')
    expect(words).toContain('http://127.0.0.1:8000/api/goals')
  })
  test('of a past goal forks it', () => expect(asRequest({ goal: 'x' }, 'http://h', 'a.b')).toContain('http://h/api/trees/a.b/fork'))
})

test('a goal copied for MCP is a call of its tool, and what the tool cannot be told is named', () => {
  const { text, left } = asToolCall({ goal: NASTY, plan: true, budget: { dollars: 2 }, priority: 10, attachments: ['a'] })
  expect(JSON.parse(text)).toEqual({
    method: 'tools/call',
    params: { name: 'start_goal', arguments: { goal: NASTY, plan: true, budget: { dollars: 2 } } },
  })
  expect(left).toEqual(['priority', 'attachments'])
})

test('rules of the goal are options of the command', () => {
  expect(asCommand({ goal: 'x', rules: [{ verdict: 'deny', scope: 'host', signature: 'a.example' }] }, [])).toContain(
    "--rule 'deny host a.example'",
  )
})
