import { describe, expect, it } from 'vitest'
import { faultOf } from './http-stream.ts'
import { accountOf, resetMs } from './rate-limits.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const wait = (headers: Record<string, string>, words = '') => resetMs(new Headers(headers), words, NOW)

describe('the end of a limit', () => {
  it.each([
    ['a date, as Anthropic writes it', { 'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:30Z' }, 30_000],
    ['a moment in seconds', { 'anthropic-ratelimit-unified-reset': String(NOW / 1_000 + 90) }, 90_000],
    ['a span, as OpenAI writes it', { 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
    ['a span of a fraction', { 'x-ratelimit-reset-requests': '1.5s' }, 1_500],
    ['milliseconds', { 'x-ratelimit-reset-requests': '250ms' }, 250],
    ['a moment in milliseconds, as OpenRouter writes it', { 'x-ratelimit-reset': String(NOW + 42_000) }, 42_000],
    ['a number of seconds', { 'x-ratelimit-reset': '17' }, 17_000],
    ['a moment gone by', { 'x-ratelimit-reset': String(NOW - 42_000) }, 0],
  ])('is read from %s', (_, headers, ms) => {
    expect(wait(headers)).toBe(ms)
  })

  it('is that of the limit of which nothing remains, whatever others say', () => {
    const headers = {
      'anthropic-ratelimit-requests-remaining': '40',
      'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:01Z',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '2026-03-01T12:30:00Z',
    }
    expect(wait(headers)).toBe(1_800_000)
  })

  it('is the first one where none is said to be used up', () => {
    expect(wait({ 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '1h' })).toBe(1_000)
  })

  it.each([
    ['Rate limit reached for requests. Please try again in 20s.', 20_000],
    ['Please try again in 6m0s. Visit your account page.', 360_000],
    ['You may retry in 2 minutes', 120_000],
    ['Slow down.', undefined],
  ])('is read from the words "%s"', (words, ms) => {
    expect(wait({}, words)).toBe(ms)
  })

  it.each([{ 'x-ratelimit-reset': 'soon' }, { 'x-ratelimit-reset': '' }, { 'x-ratelimit-limit': '7' }])(
    'is not known from %j',
    (headers) => {
      expect(wait(headers)).toBeUndefined()
    },
  )
})

describe('a fault of a provider', () => {
  const error = (status: number, code: string | null, headers: Record<string, string> = {}) =>
    faultOf(
      Object.assign(new Error('no'), { status, code, headers: new Headers(headers), error: { message: 'no' } }),
      { provider: 'p' },
      NOW,
    )

  it.each([
    [error(429, 'rate_limit_exceeded', { 'x-ratelimit-reset-requests': '7s' }), { kind: 'later', limit: 'rate', retryAfterMs: 7_000 }],
    [error(429, null, { 'retry-after': '3', 'x-ratelimit-reset-requests': '7s' }), { kind: 'later', limit: 'rate', retryAfterMs: 3_000 }],
    [error(429, 'insufficient_quota'), { kind: 'refused', limit: 'quota' }],
    [error(402, null), { kind: 'refused', limit: 'quota' }],
  ])('tells of a limit of the whole account', (fault, wanted) => {
    expect(fault).toMatchObject(wanted)
  })

  it.each([529, 503, 500, 401, 400])('of status %i is no limit', (status) => {
    expect(error(status, null, { 'x-ratelimit-reset': '9' })).not.toHaveProperty('limit')
  })
})

it('the mark of an account tells keys and addresses apart and gives neither away', () => {
  const marks = [
    accountOf('key-1', 'http://a'),
    accountOf('key-2', 'http://a'),
    accountOf('key-1', 'http://b'),
    accountOf(undefined, 'http://a'),
  ]
  expect(new Set(marks).size).toBe(4)
  expect(accountOf('key-1', 'http://a')).toBe(marks[0])
  for (const mark of marks) expect(mark).toMatch(/^[0-9a-f]{16}$/)
})
