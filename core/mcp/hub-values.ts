/**
 * Values of the variables and headers of a server. What a person typed there is sealed among the secrets, under a name that the server's row
 * keeps in its place; it is put in again when the server is started or asked, and nowhere else. Parts written `secret:NAME` stay as written.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../contract/fault.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Tx } from '../store/store.ts'
import type { Spec } from './hub-rows.ts'

export type Vault = Pick<Secrets, 'forProgram' | 'put' | 'drop'>
type Values = Readonly<Record<string, string>>
const KINDS = { env: 'ENV', headers: 'HEADER' } as const

const SECRET = /\bsecret:([A-Z][A-Z0-9_]{0,63})\b/g
/** Kinds of logins stay outside: the token alone is what must not be told. */
const SCHEME = /^(?:(?:bearer|basic|digest|token) +)?/i
const SEALED = /^sealed:([A-Z][A-Z0-9_]{0,63})$/
/** Signs beside a reference, which tell nobody anything. */
const SIGNS = /^[^\p{L}\p{N}]*$/u

/** A value as it is kept: what stands before it, and the secret that holds the rest; null: nothing of it is sealed. */
function parted(value: string): { scheme: string; rest: string; secret: string | null } {
  const scheme = SCHEME.exec(value)![0]
  const rest = value.slice(scheme.length)
  return { scheme, rest, secret: SEALED.exec(rest)?.[1] ?? null }
}

/** Values with their secrets. A Fault names one that is not there. */
export function filledWith(vault: Pick<Vault, 'forProgram'>, values: Values): Record<string, string> {
  const opened = (secret: string): string => {
    const found = vault.forProgram(secret)
    if (found === null) throw new Fault('invalid', `there is no secret ${secret} that can be read; \`banyan secret set ${secret}\` adds it`)
    return found
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const { scheme, rest, secret } = parted(value)
      const written = secret === null ? rest : opened(secret)
      return [name, scheme + written.replace(SECRET, (_, one: string) => opened(one))]
    }),
  )
}

/** The secrets that stand in a value as it is kept. */
export function secretsIn(vault: Pick<Vault, 'forProgram'>, value: string): string[] {
  const { rest, secret } = parted(value)
  const written = secret === null ? rest : (vault.forProgram(secret) ?? '')
  return [...(secret === null ? [] : [secret]), ...[...written.matchAll(SECRET)].map((match) => match[1]!)]
}

/** Whether somebody could read more in it than the names of secrets. */
function isOpen(value: string): boolean {
  const { rest, secret } = parted(value)
  const pieces = rest.split(SECRET)
  return secret === null && rest !== '' && (pieces.length === 1 || !pieces.every((piece, i) => i % 2 === 1 || SIGNS.test(piece)))
}
export const hasOpen = ({ env, headers }: Spec): boolean => [...Object.values(env), ...Object.values(headers)].some(isOpen)

/** What is kept of a server: without a value that a person typed. Those are sealed in the same transaction. */
export async function sealed(tx: Tx, vault: Vault, server: string, spec: Spec, by: string): Promise<Spec> {
  const kept = { ...spec }
  for (const kind of ['env', 'headers'] as const) {
    const values: Record<string, string> = {}
    for (const [name, value] of Object.entries(spec[kind])) {
      if (!isOpen(value)) values[name] = value
      else {
        const secret = await freeName(tx, [server, KINDS[kind], name])
        const description = `the ${kind === 'env' ? 'variable' : 'header'} ${name} of the MCP server ${server}`
        const { scheme, rest } = parted(value)
        await vault.put(tx, secret, { value: rest, description }, by)
        values[name] = `${scheme}sealed:${secret}`
      }
    }
    kept[kind] = values
  }
  return kept
}
/** Takes what was sealed for a server away again. */
export async function unsealed(tx: Tx, vault: Vault, { env, headers }: Spec, by: string): Promise<void> {
  const names = [...Object.values(env), ...Object.values(headers)].flatMap((value) => parted(value).secret ?? [])
  await vault.drop(tx, names, by)
}

/** One that says whose it is and that nobody has. */
async function freeName(tx: Tx, parts: readonly string[]): Promise<string> {
  const plain = ['SERVER', ...parts]
    .join('_')
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
  const taken = await tx.db.selectFrom('secrets').select('name').where('name', '=', plain).executeTakeFirst()
  if (plain.length <= 64 && !taken) return plain
  const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 8).toUpperCase()
  return `${plain.slice(0, 55)}_${hash}`
}
