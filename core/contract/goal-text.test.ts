import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { commandOf, listOf } from './goal-text.ts'

const plain = (command: string) => ({ command, retries: 0, once: false })

describe('a command line', () => {
  test.each([
    ['Run `npm test`', plain('npm test')],
    ['run: `npm test`.', plain('npm test')],
    ['Execute `ls -la`;', plain('ls -la')],
    ['Please run `ls`', plain('ls')],
    ['Then run `ls`', plain('ls')],
    ['then, execute `ls`', plain('ls')],
    ['  RUN   ` ls `  ', plain('ls')],
    ['Run `npm test` (retry 2)', { command: 'npm test', retries: 2, once: false }],
    ['Run `make` (Retry 3) (once)', { command: 'make', retries: 3, once: true }],
    ['Run `make` (once) (retry 3).', { command: 'make', retries: 3, once: true }],
    ['Run `make` (retry 500)', { command: 'make', retries: 20, once: false }],
    ['Run `make`(once)', { command: 'make', retries: 0, once: true }],
    ['Run ``echo `date` ``', plain('echo `date`')],
    ['Run ```echo ``x`` `y` ```', plain('echo ``x`` `y`')],
    ['Run:\n```\nnpm ci\nnpm test\n```', plain('npm ci\nnpm test')],
    ['Run:\n```sh\nnpm ci\n``` (retry 1)', { command: 'npm ci', retries: 1, once: false }],
    ['Run\r\n```bash\r\nnpm ci\r\nnpm test\r\n```\r\n', plain('npm ci\nnpm test')],
    ['Run `echo "(retry 2)"`', plain('echo "(retry 2)"')],
    ['Run `echo 日本語 🌳`', plain('echo 日本語 🌳')],
    ['Run `echo a\\`', plain('echo a\\')],
  ])('%j is understood', (text, command) => expect(commandOf(text)).toEqual(command))

  test.each([
    'Run npm test',
    'Run `a` and `b`',
    'Run `a`\nRun `b`',
    'Run `a` if the tests pass',
    'Run `a` (retry)',
    'Run `a` (retry -1)',
    'Run `a` (twice)',
    'Do not run `a`',
    'Never run `a`',
    'Run `a',
    'Run ``a`',
    'Run ` `',
    'Run ````a````',
    'Running `a`',
    'Rerun `a`',
    'Then `a`',
    '`a`',
    '',
  ])('%j is left to judgement', (text) => expect(commandOf(text)).toBeNull())

  it('of whatever characters comes back as it was written', () => {
    const command = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 200 })
      .map((text) => text.replaceAll('\r\n', '\n').trim())
      .filter((text) => text !== '' && !text.includes('``'))
    fc.assert(
      fc.property(
        command,
        fc.nat(20),
        fc.boolean(),
        fc.constantFrom('Run', 'Then run', 'execute', 'Please run:'),
        (text, retries, once, word) => {
          const line = `${word} \`\` ${text} \`\`${retries ? ` (retry ${retries})` : ''}${once ? ' (once)' : ''}`
          expect(commandOf(line)).toEqual({ command: text, retries, once })
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('is looked for in time linear in the text', () => {
    const start = performance.now()
    for (const text of [
      `Run ${'`a` '.repeat(250_000)}`,
      `Run \`a\`${' '.repeat(1_000_000)}x`,
      `Run ${' '.repeat(1_000_000)}x`,
      `Run \`a\`${' (once)'.repeat(140_000)}x`,
    ])
      expect(commandOf(text)).toBeNull()
    expect(performance.now() - start).toBeLessThan(3_000)
  })
})

describe('a list', () => {
  const texts = (goal: string) => listOf(goal)?.lines.map((line) => line.text) ?? null
  test.each([
    ['numbers', '1. a\n2. b', ['a', 'b']],
    ['numbers with brackets', '1) a\n2) b', ['a', 'b']],
    ['hyphens', '- a\n- b', ['a', 'b']],
    ['stars', '* a\n* b', ['a', 'b']],
    ['other bullets', '• a\n+ b\n– c', ['a', 'b', 'c']],
    ['empty lines between', '1. a\n\n2. b\n\n\n', ['a', 'b']],
    ['Windows line ends', 'Do:\r\n\r\n1. a\r\n2. b \r\n', ['a', 'b']],
    ['indentation', '  - a\n  - b', ['a', 'b']],
    ['numbers in a column', '  9. a\n 10. b', ['a', 'b']],
    ['unicode', '1. Прочитай файл\n2. 木を数える 🌳', ['Прочитай файл', '木を数える 🌳']],
    ['unusual line separators inside a line', '- a\u2028b\n- c', ['a\u2028b', 'c']],
  ])('with %s is read', (_, goal, lines) => expect(texts(goal)).toEqual(lines))

  test.each([
    ['one line', '- a'],
    ['words after it', '1. a\n2. b\nThat is all.'],
    ['words inside it', '1. a\nand more of a\n2. b'],
    ['items below items', '1. a\n   - a1\n   - a2\n2. b'],
    ['a year at the start of a line', 'We met in\n1984. It was cold.\nThen we left.'],
    ['bold words', '**Note** that\n*this* is prose.'],
    ['negative numbers', '-5 degrees\n-7 degrees'],
    ['decimals', '1.5 apples\n2.5 pears'],
    ['lines across the page', '- - -\n* * *\n---'],
    ['bullets without words', '-\n-\n- '],
    ['nothing', ''],
  ])('with %s is no list', (_, goal) => expect(listOf(goal)).toBeNull())

  it('keeps the words before it as its heading, on one line', () => {
    expect(listOf('Build it,\n then ship:\n\n- a\n- b')?.heading).toBe('Build it, then ship:')
    expect(listOf('- a\n- b')?.heading).toBe('')
  })

  it('knows which lines wait for the one before; the first never does', () => {
    const goal = '1. Then a\n2. Then b\n3. then, c\n4. THEN d\n5. Thence e\n6. b, then c\n7. Then-a'
    expect(listOf(goal)?.lines.map((line) => line.afterPrevious)).toEqual([false, true, true, true, false, false, false])
  })

  it('knows the commands among its lines', () => {
    expect(listOf('1. Run `a` (retry 2)\n2. Then run `b` (once)\n3. Think')?.lines.map((line) => line.command)).toEqual([
      { command: 'a', retries: 2, once: false },
      { command: 'b', retries: 0, once: true },
      null,
    ])
  })

  it('may have 1,000 lines', () => {
    const goal = Array.from({ length: 1_000 }, (_, i) => `${i + 1}. Run \`echo ${i}\``).join('\n')
    expect(listOf(goal)?.lines.map((line) => line.command?.command)).toEqual(Array.from({ length: 1_000 }, (_, i) => `echo ${i}`))
  })

  it('is looked for in time linear in the text', () => {
    const start = performance.now()
    for (const goal of [
      `-${' '.repeat(2_000_000)}\n- b`,
      `${' '.repeat(2_000_000)}x`,
      `- a${' \t'.repeat(1_000_000)}x`,
      '- '.repeat(1_000_000),
      '1'.repeat(2_000_000),
    ])
      listOf(goal)
    expect(performance.now() - start).toBeLessThan(3_000)
  })

  it('never throws, and its lines stand in the goal as they were written', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('- ', '1. ', '\n', '\r\n', 'Then ', 'Run `', '`', '(retry 2)', '\t', '• '),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const goal = pieces.join('')
        const list = listOf(goal)
        for (const line of list?.lines ?? []) expect(goal).toContain(line.text)
        expect(list === null || list.lines.length >= 2).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
