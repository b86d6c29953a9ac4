import type { FileHandle } from 'node:fs/promises'
import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

const MOST_BYTES = 50_000
const MOST_LINE = 4_000

export default defineTool({
  name: 'read_file',
  description: `Reads a text file of your workspace. Each line comes with its number and a tab before it; the number and tab are not part of the file.

Use it before you change a file, and to look at what a command or another agent made. The first line of the answer says which lines you see and how many there are. At most ${MOST_BYTES / 1_000} kB come at once; when more is left, the last line says from where to read on. Very long lines are cut. Of a file that is not text you are told its kind and size.
To find something in many files use search_files; to see which files there are use list_files.`,
  permission: 'read',
  effect: 'read',
  needs: ['files'],
  input: z.object({
    path: z.string().min(1).max(4_000).describe('Relative to the workspace, such as "notes/plan.md".'),
    from_line: z.number().int().min(1).default(1).describe('First line to read.'),
    lines: z.number().int().min(1).max(10_000).default(2_000).describe('How many lines to read at most.'),
  }),
  async run({ path, from_line, lines }, { files }) {
    const work = async () => {
      const handle = await files.open(path)
      try {
        return answer(await show(handle, path, from_line, lines))
      } finally {
        await handle.close()
      }
    }
    return work().catch(faultAsMistake)
  },
})

async function show(handle: FileHandle, path: string, from: number, count: number): Promise<string> {
  const { size } = await handle.stat()
  const start = Buffer.alloc(8_192)
  const { bytesRead } = await handle.read(start, 0, start.length, 0)
  if (bytesRead === 0) return `${path} is empty (0 bytes).`
  const kind = binaryKind(start.subarray(0, bytesRead))
  if (kind) return `${path} is not text: ${kind}, ${size} bytes. It cannot be shown here; a command can convert it or take it apart.`

  const { shown, total, crlf } = await linesOf(handle, from, count)
  if (shown.length === 0) return `${path} has only ${total} lines (${size} bytes); there is no line ${from}.`
  const last = from + shown.length - 1
  return [
    `${path} · lines ${from}–${last} of ${total} · ${size} bytes${crlf ? ' · lines end with CR LF' : ''}`,
    ...shown.map((line, i) => `${from + i}\t${line}`),
    ...(last < total ? [`(lines ${last + 1}–${total} are left; read on with from_line ${last + 1})`] : []),
  ].join('\n')
}

/** Goes through the whole file in pieces, so that its size costs time but no memory. */
async function linesOf(handle: FileHandle, from: number, count: number): Promise<{ shown: string[]; total: number; crlf: boolean }> {
  const shown: string[] = []
  const piece = Buffer.allocUnsafe(1 << 18)
  let number = 1
  let room = MOST_BYTES
  let line: Buffer[] = []
  let lineBytes = 0
  let crlf = false
  const wanted = () => number >= from && number < from + count && room > 0 && shown.length === number - from
  const endLine = () => {
    if (wanted()) {
      let text = Buffer.concat(line).toString('utf8').replaceAll('\0', '␀')
      if (lineBytes <= MOST_LINE && text.endsWith('\r')) {
        crlf = true
        text = text.slice(0, -1)
      }
      if (lineBytes > MOST_LINE) text = `${text.replace(/\uFFFD$/, '')}… (cut: this line has ${lineBytes} bytes)`
      const cost = Buffer.byteLength(text) + 8
      if (cost <= room || shown.length === 0) shown.push(text)
      room -= cost
    }
    line = []
    lineBytes = 0
    number++
  }
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, at)
    if (bytesRead === 0) break
    at += bytesRead
    for (let i = 0; i < bytesRead; ) {
      const newline = piece.subarray(0, bytesRead).indexOf(10, i)
      const end = newline < 0 ? bytesRead : newline
      if (wanted() && lineBytes < MOST_LINE) line.push(Buffer.from(piece.subarray(i, Math.min(end, i + MOST_LINE - lineBytes))))
      lineBytes += end - i
      if (newline >= 0) endLine()
      i = end + 1
    }
  }
  if (lineBytes > 0) endLine()
  return { shown, total: number - 1, crlf }
}

const SIGNATURES: readonly [name: string, hex: string][] = [
  ['a PNG image', '89504e47'],
  ['a JPEG image', 'ffd8ff'],
  ['a GIF image', '47494638'],
  ['a PDF document', '25504446'],
  ['a ZIP archive (or a document made of one: docx, xlsx, jar)', '504b0304'],
  ['a gzip archive', '1f8b'],
  ['an xz archive', 'fd377a58'],
  ['a Zstandard archive', '28b52ffd'],
  ['an SQLite database', '53514c69746520666f726d6174'],
  ['a program for Linux (ELF)', '7f454c46'],
  ['a WebAssembly module', '0061736d'],
  ['an Ogg file', '4f676753'],
  ['an MP3 file', '494433'],
]
/** What a file is that is not text, or null for text. */
function binaryKind(start: Buffer): string | null {
  const hex = start.subarray(0, 16).toString('hex')
  const known = SIGNATURES.find(([, signature]) => hex.startsWith(signature))
  if (known) return known[0]
  if (hex.startsWith('fffe') || hex.startsWith('feff')) return 'text in UTF-16'
  return start.includes(0) ? 'binary data' : null
}
