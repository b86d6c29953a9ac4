/** What every search engine is, whatever it speaks. */

export type Hit = { title: string; url: string; snippet: string; published?: string }

export type EngineGet = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<{ status: number; text: string; location: string | null }>

export type Engine = {
  name: string
  /** What requests are kept apart by. */
  host: string
  /** Named by the owner in the settings, so it may stand on this machine or in an inner network. */
  trusted?: boolean
  /** Best first. A Fault says why there is no answer, and the mend; an empty list means that the engine found nothing. */
  search(query: string, get: EngineGet, signal: AbortSignal): Promise<Hit[]>
}
