import { expect, test } from 'vitest'
import { argsOf, inputOf, typedOf } from './schema.ts'

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', maxLength: 4000, description: 'Where.' },
    content: { type: 'string', maxLength: 500_000 },
    depth: { type: 'integer', minimum: 1, maximum: 30, default: 3 },
    wait: { type: 'number' },
    links: { type: 'boolean', default: false },
    action: { type: 'string', enum: ['poll', 'stop'] },
    argv: { type: 'array', items: { type: 'string' } },
    edits: { type: 'array', items: { $ref: '#/$defs/Edit' } },
  },
  required: ['path', 'depth'],
  $defs: { Edit: { type: 'object', properties: { old: {}, new: {} } } },
}
const args = argsOf(schema)

test('each argument gets the field that fits its shape, and words for its type', () => {
  expect(args.map(({ name, kind }) => [name, kind])).toEqual([
    ['path', 'text'],
    ['content', 'long'],
    ['depth', 'whole'],
    ['wait', 'number'],
    ['links', 'switch'],
    ['action', 'choice'],
    ['argv', 'lines'],
    ['edits', 'json'],
  ])
  expect(args.map(({ type }) => type)).toEqual([
    'text',
    'text',
    'whole number, 1 to 30',
    'number',
    'yes or no',
    '"poll" | "stop"',
    'list of text',
    'list of { old, new }',
  ])
})

test('an argument with a preset value is not needed', () => {
  expect(args.filter(({ required }) => required).map(({ name }) => name)).toEqual(['path'])
  expect(args.find(({ name }) => name === 'depth')?.preset).toBe('3')
})

test('what is typed becomes what is sent, and nothing typed is nothing sent', () => {
  const { input, problems } = inputOf(args, { path: 'a b', depth: '2', links: 'true', argv: 'x\ny\n', edits: '[{"old":1}]', content: '' })
  expect(problems).toEqual({})
  expect(input).toEqual({ path: 'a b', depth: 2, links: true, argv: ['x', 'y'], edits: [{ old: 1 }] })
  expect(inputOf(args, typedOf(args, input).typed).input).toEqual(input)
})

test('what cannot be sent is named by its argument', () => {
  expect(inputOf(args, { depth: '2.5', wait: 'soon', edits: '[' }).problems).toEqual({
    path: 'needed',
    depth: 'whole',
    wait: 'number',
    edits: 'json',
  })
})

test('arguments that the schema does not name are told, so that the form can step back for JSON', () => {
  expect(typedOf(args, { path: 'a', other: 1 }).unknown).toEqual(['other'])
})

test('a tool without a file or arguments has none', () => {
  expect(argsOf(null)).toEqual([])
  expect(argsOf({ type: 'object', properties: {} })).toEqual([])
})
