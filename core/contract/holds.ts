/** What people read of a provider that takes no calls because of its limits. */
export type HoldKind = 'rate' | 'quota'

/** `until`: a time as in facts. */
export function heldText({ provider, kind, until }: { provider: string; kind: HoldKind; until: string }): string {
  const at = `${until.slice(0, 19).replace('T', ' ')} UTC`
  return kind === 'quota'
    ? `${provider} is out of quota; it is asked again at ${at}`
    : `${provider} takes no more calls until ${at} (rate limit)`
}

export const releasedText = ({ provider, by }: { provider: string; by: string | null }): string =>
  `${provider} takes calls again${by === null ? '' : ` (${by})`}`
