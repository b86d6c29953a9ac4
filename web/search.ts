/** The part of an address after `?`. Values are text as they stand there; a page says what it takes, and anything else is left out. */

/** TanStack's own reading makes a number of `?task=12`; ids stay text here. */
export const parseSearch = (search: string): Record<string, string> => Object.fromEntries(new URLSearchParams(search))

export function writeSearch(search: Record<string, unknown>): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' ? value !== '' : typeof value === 'number' || value === true) words.set(name, String(value))
  }
  const text = words.toString()
  return text ? `?${text}` : ''
}

type Raw = Record<string, unknown>
/** Texts that may be there: `texts(search, 'task', 'q')` is `{ task?: string, q?: string }`. */
export function texts<const K extends string>(search: Raw, ...names: K[]): { [N in K]?: string } {
  const found = names.filter((name) => typeof search[name] === 'string' && search[name] !== '').map((name) => [name, search[name]])
  return Object.fromEntries(found) as { [N in K]?: string }
}

/** One of a few words, or nothing. */
export function oneOf<const K extends string, const W extends string>(search: Raw, name: K, words: readonly W[]): { [N in K]?: W } {
  const value = words.find((word) => word === search[name])
  return (value === undefined ? {} : { [name]: value }) as { [N in K]?: W }
}
