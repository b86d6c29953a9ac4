import { expect, test } from 'vitest'
import { ROLES, SCOPES, scopesOf } from './access.ts'
import { ROUTES, type Route } from './api.ts'

const routes = Object.entries(ROUTES) as [string, Route][]

test('every route says what it needs, and what changes something never needs only a look', () => {
  expect(routes.length).toBeGreaterThan(50)
  for (const [name, route] of routes) {
    expect([...SCOPES, 'none', 'person'], name).toContain(route.scope)
    // To say what is wrong with a draft is a look at it.
    if (route.method !== 'GET' && !route.path.endsWith('/validate')) expect(route.scope, name).not.toBe('read')
    if (route.open) expect(route.scope, name).toBe('none')
  }
})

test('without a scope is only what is open or concerns nobody but the caller', () => {
  const free = routes.filter(([, route]) => route.scope === 'none').map(([name]) => name)
  expect(free.sort()).toEqual([
    'beginLogin', 'clientMetadata', 'finishLogin', 'finishServerLogin', 'health', 'login', 'loginWays', 'logout', 'me', 'tokenLogin',
  ]) // biome-ignore format: names
})

test('the owner may do everything, and each role less than the one before', () => {
  expect(scopesOf('owner')).toEqual(SCOPES)
  for (const [i, role] of ROLES.entries()) {
    const before = ROLES[i - 1]
    if (before) for (const scope of scopesOf(role)) expect(scopesOf(before), `${role} ${scope}`).toContain(scope)
  }
  for (const scope of ['admin', 'evolve', 'registry:write'] as const) expect(scopesOf('member')).not.toContain(scope)
})
