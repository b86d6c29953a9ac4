/** The providers that the settings name. */
import { githubProvider } from './github.ts'
import { oidcProvider } from './oidc.ts'
import type { LoginProvider } from './provider.ts'

export type ProviderSettings = {
  google: { clientId: string; clientSecret: string } | null
  github: { clientId: string; clientSecret: string } | null
  oidc: { name: string; issuer: string; clientId: string; clientSecret: string | null } | null
}

export const GOOGLE_ISSUER = 'https://accounts.google.com'

/** Google is one more issuer: its endpoints and keys come from its discovery document, so nothing about it is written down here. */
export function providersOf({ google, github, oidc }: ProviderSettings, googleIssuer = GOOGLE_ISSUER): LoginProvider[] {
  return [
    ...(google ? [oidcProvider({ id: 'google', name: 'Google', issuer: googleIssuer, tellsDomain: true, ...google })] : []),
    ...(github ? [githubProvider(github)] : []),
    ...(oidc ? [oidcProvider({ id: 'oidc', ...oidc })] : []),
  ]
}
