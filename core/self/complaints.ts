/**
 * What the checks of the source complain about, and which of it is new with a change. A complaint that stands in the base as well does not
 * count against a change, whether its line moved or not; of each there may be no more than the base has. These checks run no line of a
 * candidate, so what they print is theirs. Pure.
 */
import type { ChangedFile } from '../contract/change.ts'
import { INSIDE } from './walls.ts'

/** `file`: empty when it is about none. `words`: without line numbers. `shown`: as people read it. */
export type Complaint = { file: string; words: string; shown: string }
/** Null: the log holds something else too, or is cut, so nothing may be concluded from it. */
export type ReadComplaints = (log: string) => Complaint[] | null

const NAMED = 5
const CUT = /^\[… \d+ bytes left out …\]$/m
const COUNT = /^\d+ files, (\d+) faults$/

/** Of tsc without colours: a line each, and indented ones that explain it. */
export const ofTypes: ReadComplaints = (log) => {
  if (CUT.test(log)) return null
  const found: Complaint[] = []
  for (const line of log.split('\n').filter((one) => one.trim() !== '')) {
    const [, file = '', words] = /^(?:(\S.*?)\(\d+,\d+\): )?(error TS\d+: .*)$/.exec(line) ?? []
    const last = found.at(-1)
    if (words !== undefined) found.push({ file, words, shown: line })
    else if (/^\s/.test(line) && last) last.words += `\n${line}`
    else return null
  }
  return found
}

/** Of `scripts/layers.ts`: a sentence each, and how many there are. */
export const ofLayers: ReadComplaints = (log) =>
  counted(log, (lines) =>
    lines.map((line) => {
      const circle = /^circle: (.*)$/.exec(line)?.[1]
      if (circle !== undefined) return { file: '', words: turned(circle.split(' → ')), shown: line }
      const [, file = '', words = ''] = /^(\S+) (.*)$/.exec(line) ?? []
      return { file, words, shown: line }
    }),
  )
/** A circle is the same wherever the look at it began. Its first file stands at its end again. */
function turned(files: readonly string[]): string {
  const round = files.slice(1)
  const first = round.reduce((least, file, at) => (file < round[least]! ? at : least), 0)
  return [...round.slice(first), ...round.slice(0, first)].join(' → ')
}

/** Of `scripts/strip.ts`: a file each, in one line or several, and how many there are. */
export const ofStrip: ReadComplaints = (log) =>
  counted(log, (lines) => {
    const found: Complaint[] = []
    for (const line of lines) {
      const [, file, words] = /^(\S+): (Node cannot run this: .*)$/.exec(line) ?? []
      const last = found.at(-1)
      if (file !== undefined && words !== undefined) found.push({ file, words, shown: line })
      else if (last) last.words += `\n${line}`
      else return null
    }
    return found
  })
function counted(log: string, read: (lines: readonly string[]) => Complaint[] | null): Complaint[] | null {
  if (CUT.test(log)) return null
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const count = lines.map((line) => COUNT.exec(line)?.[1]).find((n) => n !== undefined)
  const found = read(lines.filter((line) => !COUNT.test(line)))
  return found !== null && count !== undefined && found.length === Number(count) ? found : null
}

/** Of Biome with its reporter "github", which writes a line each. */
export const ofLint: ReadComplaints = (log) => {
  if (CUT.test(log)) return null
  const found: Complaint[] = []
  for (const line of log.split('\n').filter((one) => one.startsWith('::error '))) {
    const [, title, path, words] = /^::error title=([^,]*),file=(.*?),line=\d+,.*?::(.*)$/.exec(line) ?? []
    if (title === undefined || path === undefined) return null
    const file = path.startsWith(`${INSIDE}/`) ? path.slice(INSIDE.length + 1) : path
    found.push({ file, words: `${title}: ${words}`, shown: `${file}: ${words} (${title})` })
  }
  return found
}

/**
 * Splits what is said of a candidate into what is new with it and what the base has too. Null: that cannot be said, so everything counts.
 * `changed` tells which file had which name before.
 */
export function besides(
  candidate: readonly Complaint[] | null,
  base: readonly Complaint[] | null,
  changed: readonly ChangedFile[],
): { added: Complaint[]; stood: Complaint[] } | null {
  // A check that failed without a complaint failed for another reason.
  if (candidate === null || base === null || candidate.length === 0) return null
  const names = new Map(changed.flatMap(({ path, from }) => (from === null ? [] : [[from, path] as const])))
  const left = new Map<string, number>()
  const key = (file: string, words: string) => `${file}\n${words}`
  for (const { file, words } of base) {
    const one = key(names.get(file) ?? file, words)
    left.set(one, (left.get(one) ?? 0) + 1)
  }
  const [added, stood]: [Complaint[], Complaint[]] = [[], []]
  for (const one of candidate) {
    const n = left.get(key(one.file, one.words)) ?? 0
    left.set(key(one.file, one.words), n - 1)
    if (n > 0) stood.push(one)
    else added.push(one)
  }
  return { added, stood }
}

/** Words for the summary of a gate. */
export const stoodBefore = (stood: readonly Complaint[]): string => {
  if (stood.length === 0) return ''
  const shown = stood.slice(0, NAMED).map((one) => one.shown.slice(0, 200))
  return ` There without this change too: ${shown.join('; ')}${stood.length > NAMED ? `; and ${stood.length - NAMED} more` : ''}.`
}
