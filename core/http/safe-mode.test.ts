import { afterEach, expect, it } from 'vitest'
import { engine, type Running } from './fixture/engine.ts'

let running: Running | undefined
afterEach(() => running?.stop())

it('in safe mode goals can be given, looked at and decided, and nothing is claimed', async () => {
  running = await engine({ SAFE_MODE: '1' })
  const { ask } = running
  const { json: goal } = await ask<{ treeId: string }>('POST', '/api/goals', { goal: 'Run `echo hello`' })
  const { json: system } = await ask<{ safeMode: boolean; tasks: Record<string, number> }>('GET', '/api/system')
  expect(system).toMatchObject({ safeMode: true })
  expect((await ask<{ status: string }>('GET', `/api/trees/${goal.treeId}`)).json.status).toBe('pending')
  expect((await ask('POST', `/api/tasks/${goal.treeId}/cancel`, {})).status).toBe(200)
  expect((await ask<{ status: string }>('GET', `/api/trees/${goal.treeId}`)).json.status).toBe('cancelled')
  expect((await ask('GET', '/api/reviews?state=open')).status).toBe(200)
  expect((await ask('POST', '/api/backups')).status).toBe(201)
  expect((await ask<{ backup: { why: string } }>('GET', '/api/system')).json.backup.why).toBe('by-hand')
})
