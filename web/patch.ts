/** Reads what `git diff` writes: files, and in each its pieces, line by line with their numbers. Pure; an agent may have written the text. */

export type PatchLine = { sign: ' ' | '+' | '-'; text: string; before: number | null; after: number | null }
/** `about`: what the piece stands in, such as the name of a function. */
export type Hunk = { from: number; about: string; lines: PatchLine[] }
export type FilePatch = { path: string; binary: boolean; hunks: Hunk[]; text: string }

const HEAD = /^diff --git /
const PIECE = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/

/** `cut`: the text ends somewhere inside of its last file, which is then left out. */
export function parsePatch(text: string, cut = false): FilePatch[] {
  const lines = text.split('\n')
  const files: FilePatch[] = []
  let at = 0
  while (at < lines.length) {
    if (!HEAD.test(lines[at]!)) {
      at += 1
      continue
    }
    const begin = at
    const file: FilePatch = { path: '', binary: false, hunks: [], text: '' }
    at += 1
    while (at < lines.length && !HEAD.test(lines[at]!)) {
      const line = lines[at]!
      const piece = PIECE.exec(line)
      if (piece) {
        at = readHunk(lines, at, piece, file)
        continue
      }
      const named = /^(?:\+\+\+|---) (?:[ab]\/|"[ab]\/)/.test(line) ? unquoted(line.slice(4)).slice(2) : /^rename to (.+)$/.exec(line)?.[1]
      // What it is called now is said last, but of a file that goes.
      if (named !== undefined) file.path = line.startsWith('rename to ') ? unquoted(named) : named
      if (/^Binary files |^GIT binary patch/.test(line)) file.binary = true
      at += 1
    }
    if (file.path === '') file.path = pathIn(lines[begin]!)
    file.text = lines.slice(begin, at).join('\n')
    files.push(file)
  }
  return cut ? files.slice(0, -1) : files
}

/** By the counts in its head: a line of the file itself may look like a head. */
function readHunk(lines: readonly string[], start: number, piece: RegExpExecArray, file: FilePatch): number {
  let [before, after] = [Number(piece[1]), Number(piece[3])]
  let [lost, won] = [Number(piece[2] ?? 1), Number(piece[4] ?? 1)]
  const hunk: Hunk = { from: after, about: piece[5] ?? '', lines: [] }
  let at = start + 1
  for (; at < lines.length && (lost > 0 || won > 0); at += 1) {
    const line = lines[at]!
    const text = line.slice(1)
    if (line.startsWith('\\')) continue
    if (line.startsWith('+')) {
      hunk.lines.push({ sign: '+', text, before: null, after: after++ })
      won -= 1
    } else if (line.startsWith('-')) {
      hunk.lines.push({ sign: '-', text, before: before++, after: null })
      lost -= 1
    } else {
      hunk.lines.push({ sign: ' ', text, before: before++, after: after++ })
      lost -= 1
      won -= 1
    }
  }
  file.hunks.push(hunk)
  return at
}

/** Git puts unusual names in quotes, their bytes as octal numbers. */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name.replace(/\t$/, '')
  const bytes: number[] = []
  for (const [, octal, sign, plain] of name.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/g)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else bytes.push(...new TextEncoder().encode(plain ?? { n: '\n', t: '\t' }[sign ?? ''] ?? sign ?? ''))
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}
/** Of a file without a change of its text, such as one that may be run now. */
function pathIn(head: string): string {
  const names = head.slice('diff --git '.length)
  const half = names.slice(names.length / 2 + 1)
  return unquoted(half).replace(/^"?b\//, '')
}
