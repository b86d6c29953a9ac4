/**
 * Signing in with somebody else's account: what a provider has to do, and nothing about whose library does it. Both verbs are asked with
 * the secrets of one attempt; `finish` answers only what it has verified, and throws a Fault otherwise.
 */
import type { Identity } from './people.ts'

export type Attempt = {
  state: string
  /** PKCE. */
  verifier: string
  nonce: string
  redirectUri: string
}
export type LoginProvider = {
  /** In addresses and in the database; never changes. */
  id: string
  /** On the button. */
  name: string
  /** Where to send the browser. */
  begin(attempt: Attempt): Promise<URL>
  /** Who came back. `iss`: the issuer as the answer itself says, where it does (RFC 9207). */
  finish(attempt: Attempt, answer: { code: string; iss: string | undefined }): Promise<Identity>
}

/** A provider that does not answer must not hold a login for ever. */
export const PROVIDER_MS = 10_000
