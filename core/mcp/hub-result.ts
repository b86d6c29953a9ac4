/** What a tool of somebody else's server answered, as an agent reads it: text up to a bound, everything larger and every picture as a file of its task. */
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client'
import type { Call, Capabilities, Outcome } from '../tool.ts'
import type { Definition } from './hub-definitions.ts'
import { checkOf } from './hub-schema.ts'
import { cleanedLine } from './hub-words.ts'

/** Bytes of text that an answer holds; of more, head and tail. */
const MOST_TEXT = 50_000
const HEAD = 30_000
const TAIL = 10_000
const MOST_FILES = 50
/** Structured answers up to this many characters are compared with what the tool promised. */
const MOST_CHECKED = 1_000_000

const ENDINGS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
  'audio/wav': 'wav',
  'audio/mpeg': 'mp3',
  'application/pdf': 'pdf',
  'application/json': 'json',
  'text/plain': 'txt',
  'text/html': 'html',
  'text/csv': 'csv',
  'text/markdown': 'md',
}

/** Its words are of whoever runs the server, and the task is marked with that. */
export async function outcomeOf(
  result: CallToolResult,
  {
    server,
    call,
    files,
    definition,
    redact,
  }: { server: string; call: Call; files: Capabilities['files']; definition: Definition; redact(text: string): string },
): Promise<Outcome> {
  const folder = `from-servers/${server}`
  const stem = `${folder}/${call.id.replace(/[^A-Za-z0-9]+/g, '-')}`
  let count = 0
  const keep = async (data: string | Uint8Array, type: string | undefined): Promise<string> => {
    if (count >= MOST_FILES) return '(not kept: it sent too many files)'
    count++
    const ending = ENDINGS[(type ?? '').split(';', 1)[0]!.trim().toLowerCase()] ?? (typeof data === 'string' ? 'txt' : 'bin')
    const path = `${stem}${count === 1 ? '' : `-${count}`}.${ending}`
    await files.write(path, typeof data === 'string' ? redact(data) : data)
    return path
  }
  const block = async (content: ContentBlock): Promise<string> => {
    switch (content.type) {
      case 'text':
        return content.text
      case 'image':
      case 'audio':
        return `[${content.type} (${cleanedLine(content.mimeType, 60)}) kept as ${await keep(Buffer.from(content.data, 'base64'), content.mimeType)}]`
      case 'resource_link':
        return `[the server names a resource: ${cleanedLine(content.uri, 500)}${content.description ? ` (${cleanedLine(content.description, 200)})` : ''}]`
      case 'resource': {
        const { resource } = content
        if ('text' in resource) return resource.text
        return `[resource ${cleanedLine(resource.uri, 300)} kept as ${await keep(Buffer.from(resource.blob, 'base64'), resource.mimeType)}]`
      }
    }
  }
  const parts: string[] = []
  for (const content of result.content) parts.push(await block(content))
  const structured = result.structuredContent === undefined ? null : written(result.structuredContent)
  if (structured !== null && parts.join('').trim() === '') parts.push(structured)
  const text = parts.join('\n')
  const notes = promised(result, structured, definition)
  const bytes = Buffer.byteLength(text)
  const shown =
    bytes <= MOST_TEXT
      ? text
      : `${text.slice(0, HEAD)}\n… (${bytes} bytes in all; the whole is in the file ${await keep(text, 'text/plain')}) …\n${text.slice(-TAIL)}`
  return { kind: 'answer', text: [shown || '(an empty answer)', ...notes].join('\n'), isError: result.isError === true, taint: ['web'] }
}

/** As JSON, or that nobody can write it down. */
function written(fields: unknown): string {
  try {
    return JSON.stringify(fields)
  } catch (error) {
    if (error instanceof RangeError) return '(fields that are nested too deeply to be read)'
    throw error
  }
}

/** What its tool said that it would answer, and did not. */
function promised(result: CallToolResult, structured: string | null, { outputSchema }: Definition): string[] {
  if (outputSchema === null || result.isError) return []
  if (structured === null) return ['(The server promised an answer with fields for this tool and sent none.)']
  if (structured.length > MOST_CHECKED) return []
  const checked = checkOf(outputSchema)
  const problem = 'check' in checked ? checked.check(result.structuredContent) : null
  return problem === null ? [] : [`(The answer is not as the server promised: ${cleanedLine(problem, 300)})`]
}
