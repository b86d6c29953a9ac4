import { expect, test } from 'vitest'
import { ranked } from './rank.ts'

const tools = [
  { name: 'read_file', description: 'Read a file of the workspace.' },
  { name: 'search_files', description: 'Find text in the files of the workspace.' },
  { name: 'mcp__tickets__create_issue', description: 'Of the MCP server tickets: "Opens a new issue in a project."' },
  { name: 'mcp__tickets__list_issues', description: 'Of the MCP server tickets: "Lists issues of a project, newest first."' },
  { name: 'mcp__mail__send', description: 'Of the MCP server mail: "Sends a message to somebody."' },
  ...Array.from({ length: 300 }, (_, i) => ({
    name: `mcp__bulk__tool_${i}`,
    description: `Of the MCP server bulk: "Does thing number ${i} of the workspace."`,
  })),
]
const names = (query: string, most = 5) => ranked(query, tools, most).map((tool) => tool.name)

test.each([
  ['open an issue about the crash', 'mcp__tickets__create_issue'],
  ['look for a word in many files', 'search_files'],
  ['I need to send mails to people', 'mcp__mail__send'],
])('"%s" finds %s', (query, wanted) => {
  expect(names(query)).toContain(wanted)
})

test('an exact name wins over words that fit better', () => {
  expect(names('read_file: search text in files, find files')[0]).toBe('read_file')
})

test('no more than asked for come, and nothing where nothing fits', () => {
  expect(names('thing of the workspace')).toHaveLength(5)
  expect(names('quantum chromodynamics')).toEqual([])
  expect(names('')).toEqual([])
})
