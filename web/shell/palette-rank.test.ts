import { expect, test } from 'vitest'
import { ranked, type Section } from './palette-rank.ts'

const line = (label: string, more?: string) => ({ key: label, label, more })
const sections: Section<ReturnType<typeof line>>[] = [
  { id: 'Pages', heading: 'Pages', lines: [line('Goals', '/'), line('Reviews', '/reviews')] },
  {
    id: 'This task',
    heading: 'This task',
    lines: [line('Next part of the task: details, artifacts, rework'), line('Download as Markdown')],
  },
  { id: 'Empty', heading: 'Empty', lines: [] },
  { id: 'Actions', heading: 'Actions', lines: [line('Use light colours', 'theme'), line('Use dark colours', 'theme')] },
]
const labels = (typed: string) => ranked(sections, typed).map(({ heading, lines }) => [heading, ...lines.map(({ label }) => label)])

test('what fits best comes first, wherever it stands', () => {
  expect(labels('dark')[0]).toEqual(['Actions', 'Use dark colours'])
  expect(labels('revi')[0]!.slice(0, 2)).toEqual(['Pages', 'Reviews'])
})
test('of two that fit alike the earlier section comes first, whatever is written in capitals', () => {
  const library = { id: 'Library', heading: 'Library', lines: [line('review_agent', 'agent')] }
  const found = ranked([...sections, library], 'revi').map(({ lines }) => lines[0]!.label)
  expect(found.slice(0, 2)).toEqual(['Reviews', 'review_agent'])
})
test('a line is found by its other words too', () => {
  expect(labels('theme')[0]).toEqual(['Actions', 'Use light colours', 'Use dark colours'])
})
test('nothing typed leaves all as it is, without sections that have no lines', () => {
  expect(labels('  ').map(([heading]) => heading)).toEqual(['Pages', 'This task', 'Actions'])
})
test('what fits nothing has no lines', () => expect(labels('qqqq')).toEqual([]))
