import { expect, test } from 'vitest'
import { createSequences, type Pressed, strokeOf } from './keys.ts'

const press = (key: string, held: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
})

test('a press has one name: Caps Lock changes nothing, shift counts with letters, Mod is the key of the system', () => {
  expect(strokeOf(press('R'), false)).toBe('r')
  expect(strokeOf(press('C', { shiftKey: true }), false)).toBe('shift+c')
  expect(strokeOf(press('?', { shiftKey: true }), false)).toBe('?')
  expect(strokeOf(press('k', { ctrlKey: true }), false)).toBe('mod+k')
  expect(strokeOf(press('k', { metaKey: true }), true)).toBe('mod+k')
  expect(strokeOf(press('k', { ctrlKey: true }), true)).toBe('ctrl+k')
  expect(strokeOf(press('Enter', { shiftKey: true }), false)).toBe('shift+enter')
})

test('keys one after the other are one binding and never also the last of them', () => {
  let time = 0
  const keys = createSequences(false, () => time)
  const bindings = ['g r', 'g h', 'r', '?']
  expect(keys.press(press('g'), bindings)).toBe(null)
  expect(keys.press(press('R'), bindings)).toBe('g r')
  expect(keys.press(press('r'), bindings)).toBe('r')
  keys.press(press('g'), bindings)
  expect(keys.press(press('?', { shiftKey: true }), bindings)).toBe('?')
  keys.press(press('g'), bindings)
  time = 5_000
  expect(keys.press(press('r'), bindings)).toBe('r')
  keys.press(press('g'), bindings)
  expect(keys.press(press('Shift', { shiftKey: true }), bindings)).toBe(null)
  expect(keys.press(press('h'), bindings)).toBe('g h')
})
