/** Reads what git prints. */
import type { Change, FilePatch } from './shapes.ts'

/** Options under which `patchesOf` can read a diff. */
export const PATCHES = ['--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=all', '--find-renames', '--patch']

/** One record of `status --porcelain=v2 -z`. */
export function changeOf(line: string): Change | null {
  if (line.startsWith('? ')) return { path: line.slice(2), what: 'new' }
  if (line.startsWith('u ')) return { path: line.split(' ').slice(10).join(' '), what: 'conflict' }
  if (!line.startsWith('1 ')) return null
  const [, marks = '', submodule = ''] = line.split(' ')
  if (submodule.startsWith('S')) return null
  const path = line.split(' ').slice(8).join(' ')
  return { path, what: marks.includes('D') ? 'deleted' : marks.startsWith('A') ? 'new' : 'changed' }
}

export function patchesOf(text: string): FilePatch[] {
  return text
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith('diff --git '))
    .map((part) => ({
      path: /^\+\+\+ (?:b\/)?(.*)$/m.exec(part)?.[1]?.replace(/\t$/, '') ?? part.split('\n', 1)[0]!.slice(11),
      text: part,
    }))
    .map((patch) => (patch.path === '/dev/null' ? { ...patch, path: /^--- (?:a\/)?(.*)$/m.exec(patch.text)?.[1] ?? patch.path } : patch))
}
