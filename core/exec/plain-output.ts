/** What a program for a screen puts out, as the text that a reader would see. Pure. */
import { stripVTControlCharacters } from 'node:util'

/**
 * Without colours, cursor moves, titles and bells; a line that was drawn over again and again (a progress bar) is its last state. Programs
 * that paint a whole screen stay unreadable: that needs a screen.
 */
export function plainOutput(text: string): string {
  return stripVTControlCharacters(text).split('\n').map(lastState).join('\n')
}

function lastState(line: string): string {
  const states = line.replace(/\r+$/, '').split('\r')
  let shown = ''
  for (const state of states) {
    const text = withoutErased(state)
    shown = text + shown.slice(text.length)
  }
  // Everything else that is no character (bells, shifts, NUL).
  return shown.replace(/(?!\t)\p{Cc}/gu, '')
}
/** A backspace takes back the letter before it. */
function withoutErased(text: string): string {
  if (!text.includes('\b')) return text
  const kept: string[] = []
  for (const letter of text)
    if (letter === '\b') kept.pop()
    else kept.push(letter)
  return kept.join('')
}
