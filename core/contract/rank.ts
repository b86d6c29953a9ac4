/** Which of many named things fit some words best: BM25 over name, description and (where there is one) the whole text, the name counting most; an exact name comes first. Pure. */

const K1 = 1.2
const B = 0.75
/** A word of the name counts as often as this in a text. */
const OF_NAME = 3
/** Characters of a text that are read; what lies behind them tells hardly more of what it is about. */
const TEXT = 200_000
/** They stand in almost every sentence and tell nothing apart. */
const SMALL = new Set(
  'a an and are as at be by can do for from has have i in into is it its me my need needs of on or that the this to want with you your'.split(
    ' ',
  ),
)

/** Words in small letters, their parts in names, and without the commonest endings. */
function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 1 && !SMALL.has(word))
    .map((word) => (word.length > 4 ? word.replace(/(ies|ing|ed|es|s)$/, '') : word))
}

/** The `most` best, best first; those that share no word with the query are left out. Equal ones keep their order. */
export function ranked<T extends { name: string; description: string; content?: string }>(
  query: string,
  all: readonly T[],
  most: number,
): T[] {
  const asked = [...new Set(wordsOf(query.slice(0, 2_000)))]
  const named = new Set(query.toLowerCase().match(/[a-z0-9_-]+/g) ?? [])
  const texts = all.map((one) => {
    const name = wordsOf(one.name)
    const words = wordsOf(one.description)
    // A sentence that says what it is about counts for more than one on the way.
    if (one.content) words.push(...words, ...wordsOf(one.content.slice(0, TEXT)))
    for (let i = 0; i < OF_NAME; i++) words.push(...name)
    const counts = new Map<string, number>()
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
    return { one, counts, length: words.length }
  })
  const average = texts.reduce((sum, { length }) => sum + length, 0) / Math.max(1, texts.length)
  const weight = new Map(
    asked.map((word) => {
      const holding = texts.filter(({ counts }) => counts.has(word)).length
      return [word, Math.log(1 + (texts.length - holding + 0.5) / (holding + 0.5))]
    }),
  )
  return texts
    .map(({ one, counts, length }, at) => {
      let score = named.has(one.name) ? Number.MAX_VALUE : 0
      for (const word of asked) {
        const count = counts.get(word) ?? 0
        if (count > 0) score += (weight.get(word)! * count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / average))
      }
      return { one, score, at }
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, most)
    .map(({ one }) => one)
}
