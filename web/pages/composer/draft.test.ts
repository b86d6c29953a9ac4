import { describe, expect, test } from 'vitest'
import { GoalRequest } from '../../../core/contract/api-goals.ts'
import { Budget } from '../../../core/contract/limits.ts'
import { CAPS, capOf, type Draft, EMPTY, fromTemplate, parseDraft, sendingOf, typedBudget } from './draft.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const file = (id: string, expiresAt = '2026-03-02T00:00:00Z', bytes = 5) => ({
  id,
  name: `${id}.txt`,
  type: 'text/plain',
  bytes,
  expiresAt,
})
const draft = (more: Partial<Draft>): Draft => ({ ...EMPTY, goal: 'Run `date`', ...more })

describe('a draft that was kept', () => {
  test('comes back whole', () => {
    const full = draft({
      template: 'trip',
      values: { city: 'Rome' },
      model: 'playbook',
      approval: 'ask_all',
      priority: -10,
      workspace: 'shared',
      mode: 'step',
      budget: { dollars: '2,50' },
      criteria: 'it is there\nit is right',
      attachments: [file('a')],
      key: 'k',
    })
    expect(parseDraft(JSON.stringify(full), NOW)).toEqual(full)
  })
  test.each(['', '{}', 'null', '[]'])('%j is an empty one or the words alone', (kept) => {
    expect(parseDraft(kept, NOW).attachments).toEqual([])
  })
  test('of an older page is its words', () => expect(parseDraft('{{not json', NOW).goal).toBe('{{not json'))
  test('loses files that the server threw away, and what is no setting', () => {
    const kept = JSON.stringify({
      goal: 'x',
      approval: 'never',
      budget: { dollars: 3, wishes: '4' },
      attachments: [file('old', '2026-02-28T00:00:00Z'), file('new'), 7],
    })
    expect(parseDraft(kept, NOW)).toEqual({ ...EMPTY, goal: 'x', attachments: [file('new')] })
  })
})

test.each([
  ['dollars', '$2.50', 2.5],
  ['dollars', '2,50', 2.5],
  ['dollars', '0', 0],
  ['tokens', '1,000,000', 1_000_000],
  ['tokens', '4M', 4_000_000],
  ['tokens', '250 k', 250_000],
  ['minutes', '.5', 0.5],
  ['depth', '', undefined],
] as const)('%s typed as %j is %j', (cap, typed, value) => expect(capOf(cap, typed)).toBe(value))
test.each([
  ['dollars', '-1'],
  ['dollars', 'two'],
  ['dollars', '1.2.3'],
  ['tokens', '1.5'],
  ['depth', '51'],
  ['turns', '0'],
] as const)('%s typed as %j is told to be wrong', (cap, typed) => expect(capOf(cap, typed)).toMatch(/ is a (whole )?number from /))

test('what the composer lets pass the server takes, at the ends of every cap too', () => {
  const most = { dollars: '1000000', minutes: '525600', tokens: '1000000000', turns: '1M', tasks: '100000', depth: '50', fanOut: '1000' }
  const least = { dollars: '0', minutes: '0.017', tokens: '1', turns: '1', tasks: '1', depth: '0', fanOut: '0' }
  for (const budget of [most, least]) {
    const sending = sendingOf(draft({ budget }), true)
    expect(sending.ok && Budget.safeParse(sending.body.budget).success && GoalRequest.safeParse(sending.body).success).toBe(true)
    expect(sending.ok && Object.keys(sending.body.budget ?? {})).toHaveLength(CAPS.length)
  }
})

describe('what is sent', () => {
  test('says nothing of what was not chosen', () => expect(sendingOf(draft({}), false)).toEqual({ ok: true, body: { goal: 'Run `date`' } }))
  test('a template has its places filled; a value is not looked through for places', () => {
    const made = draft({ goal: 'Go to {{city}} with {{who}}', template: 'trip', values: { city: '{{who}}', who: 'Ann' } })
    expect(sendingOf(made, false)).toMatchObject({ body: { goal: 'Go to {{who}} with Ann' } })
  })
  test('braces in a goal of no template are meant as they are', () =>
    expect(sendingOf(draft({ goal: 'Write {{x}}' }), false)).toMatchObject({ body: { goal: 'Write {{x}}' } }))
  test.each([
    ['an empty goal', { goal: ' ' }, 'goal', ''],
    ['a goal that is too long', { goal: 'x'.repeat(200_001) }, 'goal', '200,000'],
    ['a place that is open', { goal: '{{a}} {{b}}', template: 't', values: { a: '1' } }, 'values', 'Fill in b.'],
    ['a cap that is no number', { budget: { tokens: 'many' } }, 'budget', 'Tokens is a whole number'],
    ['too many files', { attachments: Array.from({ length: 21 }, (_, i) => file(`f${i}`)) }, 'attachments', '20 files'],
    ['too large files', { attachments: [1, 2, 3, 4, 5, 6].map((i) => file(`f${i}`, undefined, 99_000_000)) }, 'attachments', '500 MB'],
  ])('%s is told before anything is sent', (_, more, field, why) => {
    const sending = sendingOf(draft(more), false)
    expect(sending).toMatchObject({ ok: false, wrong: { field, why: expect.stringContaining(why) } })
  })
})

test('a template begins a draft with its settings, and keeps the values of places that it has too', () => {
  const template = {
    id: 'trip',
    description: '',
    goal: 'To {{city}}',
    variables: ['city'],
    author: 'a',
    createdAt: '',
    updatedAt: '',
    budget: { dollars: 2, wallSeconds: 90 },
    mode: 'step' as const,
  }
  const made = fromTemplate(template, draft({ values: { city: 'Rome', who: 'Ann' }, attachments: [file('a')], approval: 'ask_all' }))
  expect(made).toEqual({
    ...EMPTY,
    goal: 'To {{city}}',
    template: 'trip',
    values: { city: 'Rome' },
    budget: { dollars: '2', minutes: '1.5' },
    mode: 'step',
    attachments: [file('a')],
  })
  expect(typedBudget({})).toEqual({})
})

test('rules of the goal are kept, sent, and come with a template; what is no rule is forgotten', () => {
  const rules = [{ verdict: 'deny', scope: 'program', signature: 'curl' }] as const
  const kept = parseDraft(
    JSON.stringify({ goal: 'x', rules: [...rules, { verdict: 'allow', scope: 'program', signature: 'rm' }, 'no'] }),
    0,
  )
  expect(kept.rules).toEqual(rules)
  expect(sendingOf(kept, false)).toMatchObject({ ok: true, body: { rules } })
  expect(sendingOf({ ...kept, rules: [] }, false)).toEqual({ ok: true, body: { goal: 'x' } })
  expect(fromTemplate({ goal: 'y', variables: [], rules: [...rules] } as never, EMPTY).rules).toEqual(rules)
})

describe('what counts as done', () => {
  const body = (criteria: string) => {
    const sending = sendingOf(draft({ criteria }), false)
    return sending.ok ? GoalRequest.parse(sending.body).criteria : sending.wrong
  }
  test('is sent one a line, without the marks of a list', () =>
    expect(body('- report.md exists\n\n  2. 12 folders are named \n3 is a number')).toEqual([
      'report.md exists',
      '12 folders are named',
      '3 is a number',
    ]))
  test('is left out when nothing stands there', () => expect(body(' \n')).toBeUndefined())
  test('is not sent when it is too much', () => {
    expect(body('x\n'.repeat(21))).toMatchObject({ field: 'criteria', why: expect.stringContaining('at most 20') })
    expect(body('x'.repeat(501))).toMatchObject({ field: 'criteria', why: expect.stringContaining('at most 500') })
  })
})
