import { expect, test } from 'vitest'
import { build, withListing } from './program.ts'
import { openTerminal } from './terminal.ts'

const program = () => build({ terminal: openTerminal({}), env: {}, exit: () => undefined }, '0.0.0')

test('every command shows in its help how it is used', () => {
  for (const command of program().commands.flatMap((one) => (one.commands.length > 0 ? one.commands : [one]))) {
    if (command.name() === 'help') continue
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    expect(help, command.name()).toMatch(/\nExamples?:\n {2}\$ /)
    expect(help, command.name()).toContain('--json')
  }
})

test.each([
  [['review'], ['review', 'ls']],
  [
    ['--json', 'review'],
    ['--json', 'review', 'ls'],
  ],
  [
    ['review', '--json'],
    ['review', 'ls', '--json'],
  ],
  [
    ['review', 'show', 'x'],
    ['review', 'show', 'x'],
  ],
  [
    ['review', 'aprove'],
    ['review', 'aprove'],
  ],
  [
    ['review', '--help'],
    ['review', '--help'],
  ],
  [
    ['goal', 'review'],
    ['goal', 'review'],
  ],
  [['token'], ['token', 'ls']],
])('%j means %j', (argv, meant) => expect(withListing(program(), argv)).toEqual(meant))
