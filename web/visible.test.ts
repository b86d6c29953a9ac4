import { expect, test } from 'vitest'
import { visible, visibleCode } from './visible.ts'

test('signs that turn, hide or break a name are told by their numbers, all others stay', () => {
  expect(visible('in\u202Egpj.exe')).toBe('in⟨U+202E⟩gpj.exe')
  expect(visible('a\nb\u200Bc\uFEFF')).toBe('a⟨U+000A⟩b⟨U+200B⟩c⟨U+FEFF⟩')
  expect(visible('Übersicht 日本語 عربى 👩.md')).toBe('Übersicht 日本語 عربى 👩.md')
})

test('in a line of code a tab stays a tab', () => {
  expect(visibleCode('\tif (admin\u202E) {')).toBe('\tif (admin⟨U+202E⟩) {')
})
