/** What a form about a server holds as text, and how its state is shown. Pure. */
import type { ServerItem, ServerTool } from '../../../core/contract/api-servers.ts'
import type { Label } from '../../../core/contract/label.ts'
import { servers } from '../../words/servers.ts'

type Look = Omit<Label, 'word'> & { word: string }
/** Shape, word and colour. A server that wants a login says so whatever else is wrong, because nothing else helps it. */
export function stateOf(server: Pick<ServerItem, 'state' | 'login' | 'retryAt' | 'walls'>, now: number): Look {
  const words = servers.states
  if (server.state === 'off') return { word: words.off, shape: '‖', tone: 'stop' }
  if (server.walls === 'asks') return { word: words.asks, shape: '⚑', tone: 'you' }
  if (server.login === 'needed') return { word: words.login, shape: '⚑', tone: 'you' }
  switch (server.state) {
    case 'stopped':
      return { word: words.stopped, shape: '◌', tone: 'idle' }
    case 'starting':
      return { word: words.starting, shape: '↻', tone: 'run' }
    case 'running':
      return { word: words.running, shape: '✓', tone: 'good' }
    case 'failed':
      return { word: server.retryAt !== null && Date.parse(server.retryAt) > now ? words.waits : words.failed, shape: '✕', tone: 'bad' }
  }
}

/** What a person has to look at. */
export const isWaiting = ({ state }: Pick<ServerTool, 'state'>): boolean => state === 'pending' || state === 'changed'

/** A command line as its words: quotes and backslashes hold together, and nothing else means anything. Null: a quote is open. */
export function wordsOf(line: string): string[] | null {
  const found: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let i = 0; i < line.length; i++) {
    const sign = line[i]!
    if (quote === "'" ? sign !== "'" : sign === '\\' && (quote === null || '"\\'.includes(line[i + 1] ?? ''))) {
      word = (word ?? '') + (quote === "'" ? sign : (line[++i] ?? ''))
    } else if (quote !== null) {
      if (sign === quote) quote = null
      else word += sign
    } else if (sign === '"' || sign === "'") {
      quote = sign
      word ??= ''
    } else if (/\s/.test(sign)) {
      if (word !== null) found.push(word)
      word = null
    } else word = (word ?? '') + sign
  }
  if (quote !== null) return null
  return word === null ? found : [...found, word]
}

export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** `NAME=value` or `Name: value`, one a line. A text: the line that is neither. */
export function pairsOf(text: string, sign: '=' | ':'): Record<string, string> | string {
  const pairs: Record<string, string> = {}
  for (const line of linesOf(text)) {
    const at = line.indexOf(sign)
    if (at < 1) return line
    pairs[line.slice(0, at).trim()] = line.slice(at + 1).trim()
  }
  return pairs
}
