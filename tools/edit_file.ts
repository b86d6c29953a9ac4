import * as z from 'zod'
import { answer, defineTool, faultAsMistake, mistake } from '../core/tool.ts'

const MOST_BYTES = 5_000_000

const Edit = z.object({
  old_text: z
    .string()
    .min(1)
    .max(200_000)
    .describe('Text as it is in the file, with its white space, without the line numbers of read_file.'),
  new_text: z.string().max(500_000).describe('What takes its place; empty to delete it.'),
  all: z.boolean().default(false).describe('Replace every place where old_text is found, not just one.'),
})
type Edit = z.output<typeof Edit>

export default defineTool({
  name: 'edit_file',
  description: `Changes parts of a text file in your workspace by replacing exact pieces of text. Read the file first.

Each edit names old_text, which must be found exactly once (or set "all"), and new_text. Take enough lines around the change to make old_text the only one of its kind. Edits are done in order, each on the result of the one before. Either all of them are done or, when one does not fit, none; then the answer says which one and what is in the file instead. On success the answer names the changed lines.`,
  permission: 'write',
  // Repeated, an edit finds nothing any more and changes nothing; unless what it wrote contains what it looked for.
  effect: ({ edits }) => (edits.some((edit) => edit.new_text.includes(edit.old_text)) ? 'once' : 'idempotent'),
  needs: ['files'],
  input: z.object({
    path: z.string().min(1).max(4_000).describe('Relative to the workspace, such as "src/main.ts".'),
    edits: z.array(Edit).min(1).max(100),
  }),
  async run({ path, edits }, { files, attempt }) {
    const work = async () => {
      const handle = await files.open(path)
      let bytes: Buffer
      try {
        const { size } = await handle.stat()
        if (size > MOST_BYTES)
          return mistake(`${path} has ${size} bytes, too many to edit here (at most ${MOST_BYTES}); change it with a command.`)
        bytes = await handle.readFile()
      } finally {
        await handle.close()
      }
      const before = textOf(bytes)
      if (before === null) return mistake(`${path} is not UTF-8 text, so it cannot be edited as text; change it with a command.`)
      const result = applyEdits(before, edits)
      if ('problem' in result) {
        // A restart may have come between the writing and the noting that it was written.
        if (attempt > 1 && edits.every((edit) => edit.new_text && !before.includes(edit.old_text) && before.includes(edit.new_text))) {
          return answer(`Edited ${path}: the edits had been made before the restart.`)
        }
        return mistake(`${path} was not changed. ${result.problem}`)
      }
      const written = await files.write(path, result.text)
      const lines = result.lines.slice(0, 20).join(', ') + (result.lines.length > 20 ? ' …' : '')
      return answer(
        `Edited ${path}: ${result.lines.length} ${result.lines.length === 1 ? 'place, line' : 'places, lines'} ${lines}; now ${written.bytes} bytes.`,
      )
    }
    return work().catch(faultAsMistake)
  },
})

function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return null // the decoder's way to say: not UTF-8
    throw error
  }
}

/** The text after all edits with the line of each place, or what did not fit. Pure. */
function applyEdits(before: string, edits: readonly Edit[]): { text: string; lines: number[] } | { problem: string } {
  let text = before
  const lines: number[] = []
  const crlf = text.includes('\r\n') && !/[^\r]\n/.test(text)
  const asInFile = (given: string) => (crlf ? given.replace(/\r?\n/g, '\r\n') : given)
  for (const [i, edit] of edits.entries()) {
    const name = edits.length === 1 ? 'old_text' : `old_text of edit ${i + 1}`
    const [from, to] = [asInFile(edit.old_text), asInFile(edit.new_text)]
    if (from === to) return { problem: `In edit ${i + 1} old_text and new_text are the same.` }
    const places = placesOf(text, from)
    if (places.length === 0) return { problem: `The ${name} is not in the file. ${hint(text, edit.old_text)}` }
    if (places.length > 1 && !edit.all) {
      const where = places.slice(0, 5).map((at) => lineAt(text, at))
      return {
        problem: `The ${name} is found ${places.length} times (line ${where.join(', ')}${places.length > 5 ? ' …' : ''}); add lines around it until it is the only one, or set "all".`,
      }
    }
    lines.push(...places.map((at) => lineAt(text, at)))
    text = text.split(from).join(to)
  }
  return { text, lines }
}

function placesOf(text: string, piece: string): number[] {
  const places: number[] = []
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) places.push(at)
  return places
}
const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length

/** What may have been meant: the same words in other white space, line numbers copied along, or the line most like the first one. */
function hint(text: string, wanted: string): string {
  const lines = text.split('\n').slice(0, 50_000)
  const unnumbered = wanted.replace(/^\d+\t/gm, '')
  if (unnumbered !== wanted && text.includes(unnumbered)) return 'It is there without the line numbers: leave the number and the tab out.'
  const first = squeeze(wanted.split('\n').find((line) => line.trim()) ?? '')
  if (!first) return 'Read the file again.'
  const same = lines.findIndex((line) => squeeze(line) === first)
  if (same >= 0) {
    const why = squeeze(wanted) && squeeze(text).includes(squeeze(wanted)) ? 'with other white space' : 'but what follows differs'
    return `Line ${same + 1} begins the same, ${why}: ${JSON.stringify(lines[same]!.slice(0, 300))}. Copy the text exactly as the file has it.`
  }
  let best = { line: -1, likeness: 0.4 }
  for (const [i, line] of lines.entries()) {
    const found = likeness(squeeze(line), first)
    if (found > best.likeness) best = { line: i, likeness: found }
  }
  return best.line < 0
    ? 'Nothing in it is like it; read the file again.'
    : `The nearest is line ${best.line + 1}: ${JSON.stringify(lines[best.line]!.slice(0, 300))}.`
}
const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** Share of neighbouring letter pairs that two lines have in common (Dice): 0 to 1. */
function likeness(a: string, b: string): number {
  if (a.length < 2 || b.length < 2 || a.length > 4 * b.length) return 0
  const pairs = new Map<string, number>()
  for (let i = 0; i < b.length - 1; i++) pairs.set(b.slice(i, i + 2), (pairs.get(b.slice(i, i + 2)) ?? 0) + 1)
  let common = 0
  for (let i = 0; i < a.length - 1; i++) {
    const left = pairs.get(a.slice(i, i + 2)) ?? 0
    if (left > 0) {
      common++
      pairs.set(a.slice(i, i + 2), left - 1)
    }
  }
  return (2 * common) / (a.length + b.length - 2)
}
