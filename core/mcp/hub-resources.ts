/**
 * Resources of a server, which agents have as one more tool of it: so a person approves it, rules hold for it, and what it answers is bounded
 * and marked as every answer of a server is.
 */
import type { CallToolResult, Client, RequestOptions } from '@modelcontextprotocol/client'
import type { Offered } from './hub-definitions.ts'
import { cleanedLine } from './hub-words.ts'

/** A server may have a tool of this name; then that is it. */
export const RESOURCES: Offered = {
  name: 'resources/read',
  description:
    'Words of Banyan: reads a resource of this server by its URI. Without `uri` it lists the resources; `find` narrows the list to those whose name, URI or description holds the text.',
  inputSchema: {
    type: 'object',
    properties: {
      uri: { type: 'string', maxLength: 2_000, description: 'As the list or an answer of this server names it.' },
      find: { type: 'string', maxLength: 200 },
    },
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
}
/** Lines of a list; the rest is counted. */
const MOST_LINES = 200

/** Reads one, or lists what there is. Rejects as a call of a tool does. */
export async function readResources(client: Client, args: Record<string, unknown>, options: RequestOptions): Promise<CallToolResult> {
  if (typeof args.uri === 'string') {
    const { contents } = await client.readResource({ uri: args.uri }, options)
    return { content: contents.map((resource) => ({ type: 'resource', resource })) }
  }
  const { resources } = await client.listResources(undefined, { ...options, cacheMode: 'refresh' })
  const wanted = typeof args.find === 'string' ? args.find.toLowerCase() : ''
  const found = resources.filter(({ uri, name, title, description }) =>
    [uri, name, title, description].some((text) => text?.toLowerCase().includes(wanted)),
  )
  const lines = found.slice(0, MOST_LINES).map(({ uri, name, title, description, mimeType }) => {
    const about = [title ?? name, description ?? ''].map((text) => cleanedLine(text, 160)).filter(Boolean)
    return `- ${cleanedLine(uri, 500)}${mimeType ? ` (${cleanedLine(mimeType, 60)})` : ''}: ${about.join('. ')}`
  })
  const more = found.length - lines.length
  const text = [...lines, ...(more > 0 ? [`… and ${more} more; narrow them with "find".`] : [])].join('\n')
  return { content: [{ type: 'text', text: text || 'There is no such resource.' }] }
}
