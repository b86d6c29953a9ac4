/** How a receiver knows that a webhook is ours, in the form of Standard Webhooks. */
import { createHmac } from 'node:crypto'

/** What the receiver compares the header `webhook-signature` with. `secret`: `whsec_` and base64. */
export const signatureOf = (secret: string, id: string, seconds: number, body: string): string =>
  `v1,${createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(`${id}.${seconds}.${body}`)
    .digest('base64')}`
