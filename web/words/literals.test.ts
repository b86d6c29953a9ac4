import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync } from 'vite'
import { expect, test } from 'vitest'

const web = dirname(import.meta.dirname)

/** Written before there were catalogues. A file that is rewritten leaves this list; none comes onto it. */
const STILL = ['ui/long-text.tsx', 'ui/notice.tsx']
const SAID = ['aria-label', 'aria-description', 'title', 'placeholder', 'alt', 'label', 'hint', 'text', 'description']
const LETTERS = /\p{L}{2,}/u

type Node = { type: string; value?: unknown; name?: { name?: string }; [key: string]: unknown }

/** Words that a person would read and that stand in the code: text between tags, and attributes that are read out or shown. */
function literalsIn(file: string, code: string): string[] {
  const found: string[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) visit(one)
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return
    const { type, value, name } = node as Node
    if (type === 'JSXText' && LETTERS.test(String(value))) found.push(String(value).trim())
    if (type === 'JSXAttribute' && SAID.includes(String(name?.name))) {
      const said = (value as Node | null)?.value
      if (typeof said === 'string' && LETTERS.test(said)) found.push(`${name?.name}="${said}"`)
    }
    for (const one of Object.values(node)) visit(one)
  }
  visit(parseSync(file, code).program)
  return found
}

const files = globSync('**/*.tsx', { cwd: web, exclude: (path) => /dist|test|^e2e/.test(path) })

test('words that a person reads stand in the catalogues of web/words, not in the code', () => {
  const faults = files
    .filter((file) => !STILL.includes(file))
    .flatMap((file) => literalsIn(file, readFileSync(join(web, file), 'utf8')).map((words) => `${file}: ${words}`))
  expect(files.length).toBeGreaterThan(30)
  expect(faults).toEqual([])
})

test('the list of files from before holds none that is gone or has no words in it any more', () => {
  expect(STILL.filter((file) => !files.includes(file) || literalsIn(file, readFileSync(join(web, file), 'utf8')).length === 0)).toEqual([])
})

test('text between tags and attributes that are read out are found, names of classes are not', () => {
  expect(literalsIn('a.tsx', '<p className="big words" title="Say it">Read {x} me</p>')).toEqual(['title="Say it"', 'Read', 'me'])
})
