/**
 * Which tests a change could break: those that reach a changed file by imports, the nearest first; and those that name it and either start a
 * program that reaches it, or what they name is loaded by name. Pure.
 */
import { posix } from 'node:path'

/** What is erased before it runs breaks nothing there; the type checker looks at it. */
const ERASED = /^\s*(?:import|export)\s+type\s[^'"`;]*?\bfrom\s*['"][^'"]+['"]/gm
/** An import, a worker: whatever is written as the way from one file to another. */
const WAY = /['"`](\.{1,2}\/[^'"`\n]+\.(?:[cm]?[jt]sx?|css|json))['"`]/g
/** A program that is started by its path in the checkout. */
const STARTED = /['"`/]((?:core|scripts|tools|web)\/[^'"`\n]+\.(?:[cm]?[jt]sx?|json))['"`]/g
const TEST = /\.test\.tsx?$/
/** Shorter names are words of every second test. */
const NAME_CHARS = 5

/** Tests that need a browser, which the gates have not, and those of what judges: they start whole gates of their own, and no agent may change it. */
const ELSEWHERE = /^(?:web\/e2e|core\/self|scripts\/(?:keeper|proof))\//
/** Loaded by the name of the file. */
const BY_NAME = /^(?:tools|seeds)\//

/** `files`: path → text, of the whole source. Answers test files. */
export function affectedTests(files: ReadonlyMap<string, string>, changed: readonly string[]): string[] {
  const [ways, starts] = [new Map<string, string[]>(), new Map<string, string[]>()]
  const add = (to: Map<string, string[]>, path: string, file: string) => to.set(path, [...(to.get(path) ?? []), file])
  for (const [file, text] of files) {
    for (const [, way] of text.replace(ERASED, '').matchAll(WAY)) add(ways, posix.normalize(posix.join(posix.dirname(file), way!)), file)
    for (const [, path] of text.matchAll(STARTED)) if (files.has(path!)) add(starts, path!, file)
  }
  const near = reached(changed, (path) => ways.get(path) ?? [])
  const far = reached(changed, (path) => [...(ways.get(path) ?? []), ...(starts.get(path) ?? [])])
  const stems = changed.map((path) => ({ path, stem: posix.basename(path).replace(/\.[^.]+$/, '') }))
  const named = stems
    .filter(({ stem }) => stem.length >= NAME_CHARS)
    .map(({ path, stem }) => ({ anywhere: BY_NAME.test(path), word: word(stem) }))
  for (const [file, text] of files) {
    if (!TEST.test(file) || near.has(file)) continue
    const hit = named.find(({ anywhere, word }) => (anywhere || far.has(file)) && word.test(text))
    if (hit) near.set(file, hit.anywhere ? 2 : far.get(file)!)
  }
  return [...near]
    .filter(([file]) => TEST.test(file) && files.has(file) && !ELSEWHERE.test(file))
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .map(([file]) => file)
}

/** Files with how many steps they are from what changed. */
function reached(changed: readonly string[], next: (path: string) => readonly string[]): Map<string, number> {
  const distance = new Map(changed.map((path) => [path, 0]))
  const queue = [...changed]
  for (let at = queue.shift(); at !== undefined; at = queue.shift())
    for (const file of next(at))
      if (!distance.has(file)) {
        distance.set(file, distance.get(at)! + 1)
        queue.push(file)
      }
  return distance
}
const word = (name: string): RegExp => new RegExp(`\\b${name.replace(/[^\w-]/g, '')}\\b`)
