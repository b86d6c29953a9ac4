/**
 * Which addresses were shown to a task by somebody else than a model. A task that has read foreign words could be led to put what it knows
 * into an address and ask for it; an address that a search, a page or a person gave cannot hold that. Pure.
 */

/** `addresses`: of search results, of pages that were read, and of what these link to. `words`: what people wrote. */
export type Shown = { addresses: readonly string[]; words: readonly string[] }

/** Those of `urls` that stand nowhere in it, to the letter but for http or https and the fragment, which is never sent. */
export function notShown(urls: readonly string[], { addresses, words }: Shown): string[] {
  const known = new Set<string | null>([...addresses.map(canonical), ...words.flatMap(addressesIn)])
  return urls.filter((url) => {
    const asked = canonical(url)
    return asked === null || !known.has(asked)
  })
}

function canonical(text: string): string | null {
  const url = URL.parse(text.trim())
  if (!url) return null
  return `${url.username}:${url.password}@${url.host}${url.pathname}${url.search}`
}

/** Addresses as people write them: whole, or without their beginning, and with the marks of a sentence around them. */
function addressesIn(words: string): (string | null)[] {
  const found = words.match(/(?:https?:\/\/)?[\p{L}\p{N}](?:[\p{L}\p{N}-]*\.)+\p{L}[\p{L}\p{N}-]*(?::\d+)?(?:[/?#][^\s<>"'`]*)?/giu) ?? []
  return found.flatMap((one) => {
    const spellings = [one, one.replace(/[.,;:!?)\]}*_]+$/, '')]
    return spellings.map((text) => canonical(/^https?:\/\//i.test(text) ? text : `https://${text}`))
  })
}
