/**
 * How a secret lies in the database: AES-256-GCM under a key derived from SYSTEM_SECRET_KEY. The name is bound to the value, so a value that
 * somebody copies into another row does not open there.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const FORM = 'v1'

export type Cipher = {
  seal(name: string, value: string): string
  /** null: sealed with another key, for another name, or damaged. */
  open(name: string, sealed: string): string | null
}

export function cipherOf(systemSecretKey: string): Cipher {
  const key = Buffer.from(hkdfSync('sha256', systemSecretKey, 'banyan', 'secrets v1', 32))
  const bound = (name: string) => Buffer.from(`banyan secret ${name}`)
  return {
    seal(name, value) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound(name))
      const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return [FORM, nonce.toString('base64url'), body.toString('base64url')].join('.')
    },
    open(name, sealed) {
      const [form, nonce, body] = sealed.split('.')
      if (form !== FORM || nonce === undefined || body === undefined) return null
      try {
        const bytes = Buffer.from(body, 'base64url')
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 }).setAAD(bound(name))
        decipher.setAuthTag(bytes.subarray(-16))
        return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
      } catch {
        return null // the tag does not fit: that is the answer
      }
    },
  }
}
