import { basename, matchesGlob } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import * as z from 'zod'
import { answer, type Capabilities, defineTool, faultAsMistake, mistake } from '../core/tool.ts'

const MOST_MATCHES = 200
const MOST_ANSWER = 50_000
const MOST_FILES = 20_000
const MOST_FILE_BYTES = 5_000_000
const MOST_TIME_MS = 10_000
const MOST_LINE = 300
/** After this long the other tasks of the process get their turn. */
const SLICE_MS = 15

export default defineTool({
  name: 'search_files',
  description: `Searches the text files of your workspace line by line. Each match comes as "path:line: text"; with "context" the lines around it come as "path-line- text". The last line says how many files were searched and what was left out.

The pattern is plain text unless "regex" is true; then it is an RE2 regular expression (no look-around, no back-references). Use "files" to search only some, such as "*.ts". At most ${MOST_MATCHES} matches are shown; files over 5 MB, files that are not text, and folders such as .git and node_modules are left out unless you name the folder in "path".`,
  permission: 'read',
  effect: 'read',
  needs: ['files'],
  input: z.object({
    pattern: z.string().min(1).max(1_000).describe('Text to find, exactly as it stands in a line; or with "regex" a regular expression.'),
    path: z.string().max(4_000).default('.').describe('Folder or file to search. Default: the whole workspace.'),
    regex: z.boolean().default(false),
    ignore_case: z.boolean().default(false),
    files: z.string().min(1).max(300).optional().describe('Only files like this: "*.md" by name, "src/**/*.ts" by path.'),
    context: z.number().int().min(0).max(10).default(0).describe('Lines to show before and after each match.'),
  }),
  async run({ pattern, path, regex, ignore_case, files: only, context }, { files, signal }) {
    const matcher = matcherOf(pattern, regex, ignore_case)
    if ('problem' in matcher) return mistake(matcher.problem)
    const work = async () => {
      const found = await files.list(path || '.', { depth: 50, most: MOST_FILES })
      const shown: string[] = []
      const left = { binary: 0, large: 0, closed: 0 }
      let matches = 0
      let searched = 0
      let size = 0
      let stopped = ''
      const began = performance.now()
      let slice = began
      /** Lets others run now and then, and says when it is time to end. */
      const goOn = async (): Promise<boolean> => {
        if (performance.now() - slice > SLICE_MS) {
          await nextTurn()
          slice = performance.now()
        }
        if (signal.aborted) stopped = 'stopped'
        else if (slice - began > MOST_TIME_MS) stopped = `ended after ${MOST_TIME_MS / 1_000} s`
        else if (matches >= MOST_MATCHES || size >= MOST_ANSWER) stopped = 'ended, there may be more matches'
        return stopped === ''
      }
      for (const entry of found.entries) {
        if (entry.kind !== 'file' || (only && !isLike(entry.path, only))) continue
        if (!(await goOn())) break
        if ((entry.bytes ?? 0) > MOST_FILE_BYTES) {
          left.large++
          continue
        }
        const content = await contentOf(files, entry.path)
        if (typeof content !== 'string') {
          left[content.left]++
          continue
        }
        searched++
        for (const block of matchesIn(entry.path, content, matcher.find, context)) {
          if (block === null) {
            if (await goOn()) continue
            break
          }
          matches++
          if (context > 0 && shown.length > 0 && block.apart) shown.push('--')
          shown.push(...block.lines)
          size += block.lines.reduce((sum, text) => sum + text.length, 0)
          if (matches >= MOST_MATCHES || size >= MOST_ANSWER) break
        }
      }
      await goOn()
      const notes = [
        ...(stopped ? [stopped] : []),
        ...(left.binary ? [`${left.binary} not text`] : []),
        ...(left.large ? [`${left.large} over 5 MB`] : []),
        ...(left.closed ? [`${left.closed} not readable`] : []),
        ...(found.closed.length
          ? [
              `not opened: ${found.closed
                .slice(0, 10)
                .map((one) => `${one}/`)
                .join(', ')}`,
            ]
          : []),
        ...(found.complete ? [] : [`only the first ${MOST_FILES} entries were looked at`]),
      ]
      const summary = `${matches} ${matches === 1 ? 'match' : 'matches'} in ${searched} searched ${searched === 1 ? 'file' : 'files'}${notes.length ? ` (${notes.join('; ')})` : ''}`
      return answer([...shown, summary].join('\n'))
    }
    return work().catch(faultAsMistake)
  },
})

/**
 * Each match of a file with the lines around it, no line twice; null now and then between, for the caller to take a breath. `apart`: lines
 * were left out before this block.
 */
function* matchesIn(
  path: string,
  content: string,
  find: (line: string) => number,
  context: number,
): Generator<{ lines: string[]; apart: boolean } | null> {
  const lines = content.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  let next = 0
  for (const [i, line] of lines.entries()) {
    if (i % 64 === 63) yield null
    const at = find(line)
    if (at < 0) continue
    const from = Math.max(next, i - context)
    const block = { lines: [] as string[], apart: next === 0 || from > next }
    for (let n = from; n < i; n++) block.lines.push(`${path}-${n + 1}- ${cut(lines[n]!, 0)}`)
    block.lines.push(`${path}:${i + 1}: ${cut(line, at)}`)
    next = i + 1
    for (; next < lines.length && next <= i + context && find(lines[next]!) < 0; next++)
      block.lines.push(`${path}-${next + 1}- ${cut(lines[next]!, 0)}`)
    yield block
  }
}

/** `find` gives the place of the first match in a line, or -1. RE2 takes time linear in the line, whatever the pattern. */
function matcherOf(pattern: string, regex: boolean, ignoreCase: boolean): { find(line: string): number } | { problem: string } {
  if (!regex && !ignoreCase) {
    return /[\r\n]/.test(pattern)
      ? { problem: 'The pattern has a line break, but lines are searched one by one; search for one of its lines.' }
      : { find: (line) => line.indexOf(pattern) }
  }
  try {
    const compiled = RE2JS.compile(regex ? pattern : RE2JS.quote(pattern), ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
    return {
      find(line) {
        const matcher = compiled.matcher(line)
        return matcher.find() ? matcher.start() : -1
      },
    }
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    return {
      problem: `The regular expression is not right: ${error.message}. Look-around and back-references do not exist here; for plain text leave "regex" out.`,
    }
  }
}

async function contentOf(files: Capabilities['files'], path: string): Promise<string | { left: 'binary' | 'large' | 'closed' }> {
  const handle = await files.open(path).catch(() => null) // gone, locked or protected since it was listed: counted as not readable
  if (!handle) return { left: 'closed' }
  try {
    if ((await handle.stat()).size > MOST_FILE_BYTES) return { left: 'large' }
    const bytes = await handle.readFile()
    return bytes.subarray(0, 8_192).includes(0) ? { left: 'binary' } : bytes.toString('utf8').replaceAll('\0', '␀')
  } finally {
    await handle.close()
  }
}

const isLike = (path: string, pattern: string): boolean =>
  matchesGlob(pattern.includes('/') ? path : basename(path), pattern.replace(/^\.\//, ''))
/** The part of a long line around its match. */
function cut(line: string, at: number): string {
  if (line.length <= MOST_LINE) return line
  const start = Math.max(0, Math.min(at - 100, line.length - MOST_LINE))
  return `${start > 0 ? '…' : ''}${line.slice(start, start + MOST_LINE).toWellFormed()}${start + MOST_LINE < line.length ? '…' : ''}`
}
