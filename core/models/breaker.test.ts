import { describe, expect, it } from 'vitest'
import { breaker } from './breaker.ts'
import type { ModelFault } from './provider.ts'

const down: ModelFault = { kind: 'later', message: 'answered 500' }
const busy: ModelFault = { kind: 'later', message: 'answered 429', retryAfterMs: 5_000 }

function at(options: { failures?: number; openMs?: number } = { failures: 3, openMs: 1_000 }) {
  const clock = { now: 100 }
  return { clock, guard: breaker({ ...options, now: () => clock.now }) }
}
const opened = () => {
  const { clock, guard } = at()
  for (let i = 0; i < 3; i++) guard.failed(down)
  return { clock, guard }
}

describe('a breaker', () => {
  it('opens after the given number of failures in a row, and says until when', () => {
    const { guard } = at()
    guard.failed(down)
    guard.failed(down)
    expect([guard.state(), guard.mayCall()]).toEqual(['closed', { ok: true }])
    guard.failed(down)
    expect([guard.state(), guard.mayCall()]).toEqual(['open', { ok: false, retryAt: 1_100 }])
  })

  it('counts from the start again after a success', () => {
    const { guard } = at()
    for (let i = 0; i < 10; i++) {
      guard.failed(down)
      guard.failed(down)
      guard.succeeded()
    }
    expect(guard.state()).toBe('closed')
  })

  it.each(['bad', 'refused', 'overflow'] as const)('takes a fault of kind "%s" for a sign of life', (kind) => {
    const { guard } = at()
    guard.failed(down)
    guard.failed(down)
    guard.failed({ kind, message: 'answered 4xx' })
    guard.failed(down)
    expect(guard.state()).toBe('closed')
  })

  it('does not open for a provider that says when to come back', () => {
    const { guard } = at()
    for (let i = 0; i < 50; i++) guard.failed(busy)
    expect(guard.state()).toBe('closed')
  })

  it('lets one call try when its time is over, and closes when that succeeds', () => {
    const { clock, guard } = opened()
    clock.now = 1_100
    expect(guard.state()).toBe('half-open')
    expect([guard.mayCall(), guard.mayCall(), guard.mayCall()]).toEqual([
      { ok: true },
      { ok: false, retryAt: 2_100 },
      { ok: false, retryAt: 2_100 },
    ])
    guard.succeeded()
    expect([guard.state(), guard.mayCall(), guard.mayCall()]).toEqual(['closed', { ok: true }, { ok: true }])
  })

  it('opens again at once when that call fails', () => {
    const { clock, guard } = opened()
    clock.now = 1_500
    guard.mayCall()
    guard.failed(down)
    expect([guard.state(), guard.mayCall()]).toEqual(['open', { ok: false, retryAt: 2_500 }])
  })

  it('stays open as long as the tried provider asks for', () => {
    const { clock, guard } = opened()
    clock.now = 1_500
    guard.mayCall()
    guard.failed(busy)
    expect(guard.mayCall()).toEqual({ ok: false, retryAt: 6_500 })
  })

  it('is not held open by calls that began before it opened', () => {
    const { clock, guard } = opened()
    clock.now = 1_050
    for (let i = 0; i < 5; i++) guard.failed(down)
    clock.now = 1_100
    expect(guard.mayCall()).toEqual({ ok: true })
  })

  it('lets another try when the first was never heard of again', () => {
    const { clock, guard } = opened()
    clock.now = 1_100
    guard.mayCall()
    clock.now = 2_100
    expect([guard.mayCall(), guard.mayCall()]).toEqual([{ ok: true }, { ok: false, retryAt: 3_100 }])
  })

  it('needs five failures and opens for half a minute unless told otherwise', () => {
    const { guard } = at({})
    for (let i = 0; i < 4; i++) guard.failed(down)
    expect(guard.state()).toBe('closed')
    guard.failed(down)
    expect(guard.mayCall()).toEqual({ ok: false, retryAt: 30_100 })
  })
})
