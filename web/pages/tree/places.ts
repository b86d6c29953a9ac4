/** Where each row stands among those beside it, for those who listen. */
import type { TreeRow } from '../../data/tree-store.ts'

export type Places = { pos: Uint32Array; size: Uint32Array }

/** `pos` from 1, `size` of the row's siblings that are shown; by the place of the row. */
export function placesOf(rows: readonly Pick<TreeRow, 'level'>[]): Places {
  const pos = new Uint32Array(rows.length)
  const size = new Uint32Array(rows.length)
  /** By level: places of the siblings that are being counted. */
  const open: number[][] = []
  const close = (level: number) => {
    for (const i of open[level] ?? []) size[i] = open[level]!.length
    open[level] = []
  }
  for (const [i, { level }] of rows.entries()) {
    for (let deeper = open.length - 1; deeper > level; deeper--) close(deeper)
    open.length = Math.min(open.length, level + 1)
    for (let missing = open.length; missing <= level; missing++) open[missing] = []
    pos[i] = open[level]!.push(i)
  }
  for (let level = 0; level < open.length; level++) close(level)
  return { pos, size }
}
