/** Which lines of the palette fit what is typed, and in which order. Not left to cmdk, which orders groups only when the words change. */
import { defaultFilter } from 'cmdk'

/** `label`: what is read; `more`: other words that it is found by. */
export type Line = { key: string; label: string; more?: string | undefined }
/** Two sections may have the same heading; `id` tells them apart. */
export type Section<L extends Line> = { id: string; heading: string; lines: readonly L[] }

/** Lines of a section; the words that are typed choose which. */
const MOST = 30

/**
 * Nothing typed: all as they are. Else what fits, best first: lines in their section, and sections by their best line. Capitals count for
 * nothing, so that of two that fit alike the earlier section comes first.
 */
export function ranked<L extends Line>(sections: readonly Section<L>[], typed: string): Section<L>[] {
  const words = typed.trim().toLowerCase()
  if (words === '') return sections.filter(({ lines }) => lines.length > 0).map((section) => ({ ...section }))
  return sections
    .map(({ id, heading, lines }) => {
      const fit = lines
        .map((line) => ({ line, score: defaultFilter(line.label.toLowerCase(), words, line.more === undefined ? [] : [line.more]) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
      return { id, heading, lines: fit.slice(0, MOST).map(({ line }) => line), best: fit[0]?.score ?? 0 }
    })
    .filter(({ best }) => best > 0)
    .sort((a, b) => b.best - a.best)
    .map(({ id, heading, lines }) => ({ id, heading, lines }))
}
