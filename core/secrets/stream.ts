/** Takes held values out of a text that comes in pieces, also a value that begins in one piece and ends in a later one. */
import type { Search } from './redact.ts'

export type StreamRedactor = {
  /** What may be told now. What could be the beginning of a value is held back until it is known what it is. */
  add(piece: string): string
  /** What was held back; nothing more comes. */
  end(): string
}

/** Told characters that are kept, because a value may have begun in them. */
const CONTEXT = 64
/** What is held back at most: longer beginnings are mostly line breaks, which are not counted. */
const MOST_HELD = 200_000

/** `search` is asked anew for each piece: values come and go. */
export function streamRedactor(search: () => Search): StreamRedactor {
  let text = ''
  let told = 0

  function tell(upTo: number, { spans }: Search): string {
    let end = upTo
    let out = ''
    let at = told
    for (const { from, to, name } of spans(text).sort((a, b) => a.from - b.from || b.to - a.to)) {
      if (from >= end) break
      end = Math.max(end, to) // a whole value, though its end may be the beginning of another
      if (to <= at) continue
      if (from >= at) out += text.slice(at, from)
      // It overlaps the one before, or began in what was told already: the mark stands for the rest.
      if (from >= at || at === told) out += `[secret ${name}]`
      at = to
    }
    out += text.slice(at, end)
    const keep = Math.max(0, end - CONTEXT)
    text = text.slice(keep)
    told = end - keep
    return out
  }

  return {
    add(piece) {
      if (piece === '') return ''
      text += piece
      const now = search()
      const open = now.open(text)
      return tell(Math.max(told, text.length - (open > MOST_HELD ? 0 : open)), now)
    },
    end: () => tell(text.length, search()),
  }
}
