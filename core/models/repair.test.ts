import { describe, expect, it } from 'vitest'
import { callsInText, parseArguments } from './repair.ts'

describe('arguments', () => {
  it.each([
    ['JSON', '{"path":"a"}', { path: 'a' }],
    ['nothing', ' ', {}],
    ['null', 'null', {}],
    ['a comma too many', '{"path":"a",}', { path: 'a' }],
    ['Python quotes and words', "{'path': 'a', 'deep': True}", { path: 'a', deep: true }],
    ['names without quotes', '{path: "a"}', { path: 'a' }],
    ['a fence', '```json\n{"path":"a",}\n```', { path: 'a' }],
    ['JSON in a JSON string', '"{\\"path\\":\\"a\\"}"', { path: 'a' }],
    ['a line break inside a string', '{"text":"one\ntwo"}', { text: 'one\ntwo' }],
    ['quotes inside a string', '{"text":"say "hi" now"}', { text: 'say "hi" now' }],
    ['brackets inside a string', '{"text":"a } b [",}', { text: 'a } b [' }],
  ])('are read from %s', (_, text, value) => {
    expect(parseArguments(text)).toEqual(value)
    expect(parseArguments(text)).not.toHaveProperty('__unparsed')
  })

  it.each([
    ['prose', 'the file a'],
    ['a list', '["a"]'],
    ['a number', '7'],
    ['a string', '"a"'],
    ['what stops inside a string', '{"path":"a","content":"half of the fi'],
    ['what stops inside a string that ends like an object', '{"content":"function f() { return 1 }'],
    ['what stops before a value', '{"path":'],
    ['what stops inside a number', '{"lines": 12'],
    ['what lacks a bracket inside', '{"a":[{"b":1},"c":2}'],
    ['what lacks its last bracket', '{"a":{"b":1}'],
    ['a Python string that stops', "{'content': 'half }"],
  ])('that are %s are handed on unread, never completed by guessing', (_, text) => {
    expect(parseArguments(text)).toEqual({ __unparsed: text })
  })
})

describe('a reply that is text', () => {
  const offered = ['read_file', 'end_task']
  const input = { path: 'a' }
  const taken = [{ tool: 'read_file', input }]

  it.each([
    ['name and arguments', '{"name": "read_file", "arguments": {"path": "a"}}', ''],
    ['tool and input', '{"tool":"read_file","input":{"path":"a"}}', ''],
    ['function and parameters', '{"function":"read_file","parameters":{"path":"a"}}', ''],
    ['arguments as a string', '{"name":"read_file","arguments":"{\\"path\\":\\"a\\"}"}', ''],
    ['the shape of the API', '{"id":"x","type":"function","function":{"name":"read_file","arguments":"{\\"path\\":\\"a\\"}"}}', ''],
    ['broken JSON', "{'name': 'read_file', 'arguments': {'path': 'a'},}", ''],
    ['its only fence, with words', 'I will read it.\n```json\n{"name":"read_file","arguments":{"path":"a"}}\n```', 'I will read it.'],
    ['a fence without a language', '```\n{"name":"read_file","arguments":{"path":"a"}}\n```', ''],
    ['a tag, with words', 'I read it.\n<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>', 'I read it.'],
    ['JSON after a thought', '<think>Which tool?</think>\n{"name":"read_file","arguments":{"path":"a"}}', ''],
  ])('is a call as %s', (_, text, rest) => {
    expect(callsInText(text, offered)).toEqual({ calls: taken, text: rest })
  })

  it.each([
    ['a list', '[{"name":"read_file","arguments":{"path":"a"}},{"name":"end_task","arguments":{"status":"success"}}]'],
    [
      'several tags',
      '<tool_call>{"name":"read_file","arguments":{"path":"a"}}</tool_call>\n<tool_call>{"name":"end_task","arguments":{"status":"success"}}</tool_call>',
    ],
  ])('is several calls as %s', (_, text) => {
    expect(callsInText(text, offered).calls).toEqual([...taken, { tool: 'end_task', input: { status: 'success' } }])
  })

  it.each([
    ['words', 'I would call read_file with the path a.'],
    ['nothing', ''],
    ['a tool that was not offered', '{"name":"delete_all","arguments":{}}'],
    ['an answer in JSON', '{"path":"a","lines":12}'],
    ['an answer with a name', '{"name":"read_file"}'],
    ['an answer with a name and more', '{"name":"read_file","arguments":{"path":"a"},"result":"it is empty"}'],
    ["the tool's schema", '{"name":"read_file","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}'],
    ["the tool's description", '{"name":"read_file","description":"Reads a file","parameters":{"path":"a"}}'],
    ['JSON among words, without a fence', 'For example {"name":"read_file","arguments":{"path":"a"}} would do.'],
    ['one fence among several', '```json\n{"name":"read_file","arguments":{"path":"a"}}\n```\nor\n```sh\nls\n```'],
    ['code in a fence', '```python\n{"name":"read_file","arguments":{"path":"a"}}\n```'],
    ['a tag inside a fence', 'Write:\n```xml\n<tool_call>{"name":"read_file","arguments":{"path":"a"}}</tool_call>\n```'],
    ['a tag that does not close', '<tool_call>{"name":"read_file","arguments":{"path":"a"}}'],
    ['a call cut in the middle', '{"name":"read_file","arguments":{"path":"a'],
    ['a list with something else in it', '[{"name":"read_file","arguments":{"path":"a"}},{"note":"x"}]'],
    ['arguments that are no object', '{"name":"read_file","arguments":["a"]}'],
    ['two names', '{"name":"read_file","tool":"end_task","arguments":{}}'],
    ['a call inside a thought only', '<think>{"name":"read_file","arguments":{"path":"a"}}</think>The file is empty.'],
  ])('is no call as %s', (_, text) => {
    expect(callsInText(text, offered)).toEqual({ calls: [], text })
  })

  it('is no call when no tool was offered', () => {
    expect(callsInText('{"name":"read_file","arguments":{"path":"a"}}', []).calls).toEqual([])
  })

  it('with a call whose arguments cannot be read is a call that says so', () => {
    const text = '{"name":"read_file","arguments":"path is a"}'
    expect(callsInText(text, offered).calls).toEqual([{ tool: 'read_file', input: { __unparsed: 'path is a' } }])
  })
})
