/** Output of a terminal as runs of text with names for how they look. ansi_up reads the codes; nothing of it is ever used as HTML. Pure. */
import { AnsiUp } from 'ansi_up'

export type Run = { text: string; looks: readonly string[] }

const ESC = '\u001b'
/** Marks of links: their text stays, where they lead does not. */
const LINKS = new RegExp(`${ESC}\\]8;[^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\)`, 'g')
const SIGNS: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'" }

export function ansiRuns(text: string): Run[] {
  const reader = new AnsiUp()
  reader.use_classes = true
  reader.boldStyle = 'bold'
  reader.faintStyle = 'faint'
  reader.italicStyle = 'italic'
  reader.underlineStyle = 'underline'
  // All it writes is text whose signs are escaped, and spans around some of it, never one in another.
  const written = reader.ansi_to_html(text.replace(LINKS, ''))
  return written.split(/(<span[^>]*>[^<]*<\/span>)/).flatMap((part) => {
    if (part === '') return []
    const span = /^<span([^>]*)>([^<]*)<\/span>$/.exec(part)
    return [{ text: plain(span ? span[2]! : part), looks: span ? looksOf(span[1]!) : [] }]
  })
}

const plain = (escaped: string): string => escaped.replace(/&(?:amp|lt|gt|quot|#x27);/g, (sign) => SIGNS[sign]!)

function looksOf(attributes: string): string[] {
  const words = [...attributes.matchAll(/(?:style|class)="([^"]*)"/g)].flatMap((found) => found[1]!.split(/[; ]/))
  const looks = words.flatMap((word) => {
    if (['bold', 'faint', 'italic', 'underline'].includes(word)) return [word]
    if (/^ansi-[a-z-]+-fg$/.test(word)) return [word.slice(0, -3)]
    // Any background is one, so that text on it stays readable in both themes; colours beyond the sixteen are the text's own.
    return /-bg$|^background/.test(word) ? ['ansi-on'] : []
  })
  return [...new Set(looks)]
}
