import { expect, test } from 'vitest'
import { ROUTES } from '../core/contract/api.ts'
import { pathOf } from './api.ts'

test('an address is the route with its braces filled, whatever a name holds', () => {
  expect(pathOf(ROUTES.saveAgent.path, { id: 'a/b?c' })).toBe('/api/agents/a%2Fb%3Fc')
  expect(pathOf(ROUTES.trees.path, {}, { status: 'done', cursor: undefined })).toBe('/api/trees?status=done')
  expect(pathOf(ROUTES.trees.path)).toBe('/api/trees')
})

test('a name that is left out is a mistake of ours, said at once', () => {
  expect(() => pathOf(ROUTES.task.path)).toThrow('/api/tasks/{id} needs a value for id')
})
