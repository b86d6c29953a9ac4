/** What a person began to write about an item, kept in this tab: another item, another page or a reload loses no word of it. */
import { useState } from 'react'
import type { DecisionWord } from '../../../core/contract/review.ts'

type Word = Exclude<DecisionWord, 'approve'>
type Kept = { word: Word | null; text: string }
const NONE: Kept = { word: null, text: '' }
const WORDS: ReadonlySet<string> = new Set<Word>(['reject', 'changes', 'answer'])
const keyOf = (id: string) => `banyan-review-words:${id}`

/**
 * `begun`: the decision that was being written for, null when there is none. Words are kept until the tab is closed, so a decision that is
 * undone has them again.
 */
export function useKeptWords(id: string) {
  const [kept, setKept] = useState<Kept>(() => read(id))
  const put = (next: Kept) => {
    setKept(next)
    write(id, next)
  }
  return {
    begun: kept.text.trim() === '' ? null : kept.word,
    text: kept.text,
    keep: (word: Word, text: string) => put({ word, text }),
    /** The words stay for when it is opened again. */
    close: () => put({ word: null, text: kept.text }),
  }
}

function read(id: string): Kept {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(keyOf(id)) ?? 'null')
    if (typeof kept !== 'object' || kept === null) return NONE
    const { word, text } = kept as { word?: unknown; text?: unknown }
    if (typeof text !== 'string') return NONE
    return { word: typeof word === 'string' && WORDS.has(word) ? (word as Word) : null, text }
  } catch {
    return NONE // storage is switched off, or somebody else's text is under our name
  }
}

function write(id: string, kept: Kept): void {
  try {
    if (kept.text.trim() === '') sessionStorage.removeItem(keyOf(id))
    else sessionStorage.setItem(keyOf(id), JSON.stringify(kept))
  } catch {
    // storage is full or switched off: the words live as long as the form, nothing else is lost
  }
}
