import { expect, test } from 'vitest'
import { ansiRuns } from './ansi.ts'

const E = '\u001b'

test('colours and weights become names, and end where they end', () => {
  expect(ansiRuns(`plain ${E}[1;31mred${E}[0m and ${E}[42mgreen behind${E}[0m`)).toEqual([
    { text: 'plain ', looks: [] },
    { text: 'red', looks: ['bold', 'ansi-red'] },
    { text: ' and ', looks: [] },
    { text: 'green behind', looks: ['ansi-on'] },
  ])
})

test('what looks like HTML is text, inside of colours too, and a colour of its own brings no style', () => {
  const hostile = `<img src=x onerror=alert(1)>&lt;${E}[38;2;1;2;3m</span><script>alert(2)</script>"'${E}[0m`
  const runs = ansiRuns(hostile)
  expect(runs.map((run) => run.text).join('')).toBe(`<img src=x onerror=alert(1)>&lt;</span><script>alert(2)</script>"'`)
  expect(runs.flatMap((run) => run.looks)).toEqual([])
})

test('of a link the text stays and where it leads does not', () => {
  const link = `${E}]8;;file:///etc/passwd${E}\\name${E}]8;;${E}\\ ${E}]8;;javascript:alert(1)\u0007other${E}]8;;\u0007`
  expect(
    ansiRuns(link)
      .map((run) => run.text)
      .join(''),
  ).toBe('name other')
})
