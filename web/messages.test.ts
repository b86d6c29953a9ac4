import { expect, test } from 'vitest'
import type { StoredMessage } from '../core/contract/message.ts'
import { pairs } from './messages.ts'

const at = '2026-01-01T00:00:00.000Z'
const assistant = (n: number, calls: { id: string; tool: string; input: unknown }[]): StoredMessage => ({
  n,
  at,
  role: 'assistant',
  text: '',
  calls,
  provider: 'playbook',
  model: 'playbook',
  usage: null,
  costMicros: 0,
  latencyMs: 1,
})
const tool = (n: number, callId: string, text: string, isError = false): StoredMessage => ({
  n,
  at,
  role: 'tool',
  callId,
  tool: 'x',
  text,
  isError,
})

test('an answer stands with its call, even when it came before the answer of an earlier call', () => {
  const calls = ['t/2a', 't/2b'].map((id) => ({ id, tool: 'x', input: {} }))
  const entries = pairs([{ n: 1, at, role: 'user', from: 'person', text: 'go' }, assistant(2, calls), tool(3, 't/2b', 'second', true)])
  expect(entries.map((entry) => entry.message.n)).toEqual([1, 2])
  expect(entries[1]!.answers.get('t/2b')).toEqual({ text: 'second', isError: true })
  expect(entries[1]!.answers.has('t/2a')).toBe(false)
})

test('an answer to a call that nobody here made is shown on its own', () => {
  expect(pairs([tool(7, 't/6a', 'late')]).map((entry) => entry.message.n)).toEqual([7])
})
