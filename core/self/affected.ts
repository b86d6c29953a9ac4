/** Which tests a change could break: those that reach a changed file by imports, the nearest first, and those that name it. Pure. */
import { posix } from 'node:path'

const IMPORT = /\bfrom\s*['"](\.[^'"]+)['"]|\bimport\s*(?:\(\s*)?['"](\.[^'"]+)['"]/g
const TEST = /\.test\.tsx?$/

/** Tests that need a browser, which the gates have not, and those of what judges: they start whole gates of their own, and no agent may change it. */
const ELSEWHERE = /^(?:web\/e2e|core\/self|scripts\/(?:keeper|proof))\//

/** `files`: path → text, of the whole source. Answers test files. */
export function affectedTests(files: ReadonlyMap<string, string>, changed: readonly string[]): string[] {
  const importers = new Map<string, string[]>()
  for (const [file, text] of files)
    for (const [, a, b] of text.matchAll(IMPORT)) {
      const to = posix.normalize(posix.join(posix.dirname(file), a ?? b!))
      importers.set(to, [...(importers.get(to) ?? []), file])
    }
  const distance = new Map(changed.map((path) => [path, 0]))
  const queue = [...changed]
  for (let at = queue.shift(); at !== undefined; at = queue.shift())
    for (const file of importers.get(at) ?? [])
      if (!distance.has(file)) {
        distance.set(file, distance.get(at)! + 1)
        queue.push(file)
      }
  // Tools, seeds and pages are loaded by name, which no import tells.
  const stems = changed.map((path) => posix.basename(path).replace(/\.[^.]+$/, '')).filter((stem) => stem.length >= 5)
  for (const [file, text] of files)
    if (TEST.test(file) && !distance.has(file) && stems.some((stem) => new RegExp(`\\b${stem.replace(/[^\w-]/g, '')}\\b`).test(text)))
      distance.set(file, 2)
  return [...distance]
    .filter(([file]) => TEST.test(file) && files.has(file) && !ELSEWHERE.test(file))
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .map(([file]) => file)
}
