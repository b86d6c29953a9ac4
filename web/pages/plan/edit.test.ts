import { describe, expect, test } from 'vitest'
import { type PlanItem, problemOf } from '../../../core/contract/plan.ts'
import { add, change, divide, halves, indent, mayWaitFor, mergeWithNext, move, outdent, put, remove, rowsOf, waveOf } from './edit.ts'

const item = (id: string, more: Partial<PlanItem> = {}): PlanItem => ({
  id,
  title: id,
  instruction: `do ${id}`,
  after: [],
  children: [],
  ...more,
})
const PLAN = [item('a'), item('b', { after: ['a'] }), item('c', { after: ['b'], children: [item('d'), item('e', { after: ['d'] })] })]
const CAPS = { depth: 8, fanOut: 20, tasks: 200 }
/** "a b<a c<b(d e<d)" */
const shape = (items: readonly PlanItem[]): string =>
  items
    .map(
      (one) =>
        `${one.id}${one.after.length > 0 ? `<${one.after.join('+')}` : ''}${one.children.length > 0 ? `(${shape(one.children)})` : ''}`,
    )
    .join(' ')
const sound = (items: readonly PlanItem[]): string => {
  expect(problemOf(items, CAPS)).toBe(null)
  return shape(items)
}

test('rows come frames first, with the place among neighbours; what is shut is left out', () => {
  expect(rowsOf(PLAN).map(({ item, depth, place, of }) => [item.id, depth, place, of])).toEqual([
    ['a', 0, 1, 3],
    ['b', 0, 2, 3],
    ['c', 0, 3, 3],
    ['d', 1, 1, 2],
    ['e', 1, 2, 2],
  ])
  expect(rowsOf(PLAN, new Set(['c']))).toHaveLength(3)
})

describe('an edit leaves a plan that can be carried out', () => {
  test('what waited for a part that is taken out waits for what that waited for', () =>
    expect(sound(remove(PLAN, ['b']))).toBe('a c<a(d e<d)'))
  test('moving among neighbours changes the order and no waiting', () => {
    expect(sound(move(PLAN, ['b'], -1))).toBe('b<a a c<b(d e<d)')
    expect(sound(move(PLAN, ['a'], -1))).toBe(shape(PLAN))
    expect(sound(move(PLAN, ['c', 'd'], 1))).toBe('a b<a c<b(e<d d)')
  })
  test('a part goes into the one above it and out again', () => {
    const inside = indent(PLAN, ['b'])
    expect([sound(inside.items), inside.path]).toEqual(['a(n6 b<n6) c<a(d e<d)', ['a', 'b']])
    expect(inside.items[0]!.children[0]).toMatchObject({ title: 'a', instruction: 'do a' })
    const outside = outdent(inside.items, inside.path)
    expect([sound(outside.items), outside.path]).toEqual(['a(n6) b c<a(d e<d)', ['b']])
    expect(indent(PLAN, ['a']).items).toEqual(PLAN)
    expect(outdent(PLAN, ['a']).items).toEqual(PLAN)
  })
  test('a part is put anywhere but into itself', () => {
    expect(sound(put(PLAN, ['c', 'd'], [], 0).items)).toBe('d a b<a c<b(e)')
    expect(sound(put(PLAN, ['a'], [], 3).items)).toBe('b<a c<b(d e<d) a')
    expect(put(PLAN, ['c'], ['c'], 0).items).toEqual(PLAN)
    expect(put(PLAN, ['c'], ['c', 'd'], 0).items).toEqual(PLAN)
  })
  test('a part that is cut in two holds up what it held up until the second is done', () =>
    expect(sound(divide(PLAN, ['a'], 'one', 'two').items)).toBe('a n6<a b<n6 c<b(d e<d)'))
  test('two parts become one that waits for what both waited for', () => {
    const merged = mergeWithNext(PLAN, ['a'])
    expect(sound(merged)).toBe('a c<a(d e<d)')
    expect(merged[0]!.instruction).toBe('do a\n\ndo b')
    expect(mergeWithNext(PLAN, ['b']), 'work is never swallowed by a frame').toEqual(PLAN)
    expect(mergeWithNext(PLAN, ['c'])).toEqual(PLAN)
  })
  test('a new part has an id of its own', () => {
    const { items, path } = add(PLAN, ['c', 'd'], 'New')
    expect([sound(items), path]).toEqual(['a b<a c<b(d n6 e<d)', ['c', 'n6']])
    expect(sound(add(items, null, 'Last').items)).toBe('a b<a c<b(d n6 e<d) n7')
  })
  test('a field that is emptied is left out', () =>
    expect(change([item('a', { askMe: true })], ['a'], { askMe: undefined })).toEqual([item('a')]))
})

test('an instruction falls in two at a line, else at a sentence, else not at all', () => {
  expect(halves('one\ntwo\nthree')).toEqual(['one\ntwo', 'three'])
  expect(halves('First this. Then that.')).toEqual(['First this.', 'Then that.'])
  expect(halves('Only this')).toBe(null)
})

test('waves tell what runs side by side, and nobody can be made to wait in a circle', () => {
  const level = [item('a'), item('b'), item('c', { after: ['a', 'b'] }), item('d', { after: ['c'] })]
  expect(level.map((one) => waveOf(level, one))).toEqual([0, 0, 1, 2])
  expect(mayWaitFor(level, level[0]!).map(({ id }) => id)).toEqual(['b'])
  expect(mayWaitFor(level, level[3]!).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
})
