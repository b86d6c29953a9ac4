/** Telling outside agents that there is work: what their webhooks are signed with. */
import { createHmac } from 'node:crypto'

/** Derived, so that nothing has to be kept; in the form of Standard Webhooks. */
export const webhookSecret = (systemSecretKey: string, agent: string): string =>
  `whsec_${createHmac('sha256', systemSecretKey).update(`webhook of ${agent}`).digest('base64')}`
