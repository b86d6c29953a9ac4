/** Names to addresses by the machine's resolver, with failures in words. Which addresses may be dialled is for address.ts to say. */
import { lookup } from 'node:dns/promises'
import { Fault } from '../contract/fault.ts'
import type { Address } from './address.ts'
import { faultOf } from './exchange.ts'

export type Resolve = (host: string) => Promise<readonly { address: string; family: number }[]>
/** For tests, which have no internet: where a connection to a checked address really goes. The guard knows nothing of it. */
export type Route = (address: Address, port: number) => { address: Address; port: number }

export const systemResolve: Resolve = (host) => lookup(host, { all: true })

/** All addresses of a name, or a Fault: `not_found` for a name without any, `unavailable` where nobody can tell. */
export async function resolved(resolve: Resolve, host: string): Promise<readonly { address: string; family: number }[]> {
  try {
    return await resolve(host)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOTFOUND' || code === 'ENODATA')
      throw new Fault('not_found', `${host} has no address: check how it is spelled, and that this machine has a network.`, {
        cause: error,
      })
    if (code === 'EAI_AGAIN' || code === 'ETIMEOUT' || code === 'ESERVFAIL')
      throw new Fault('unavailable', `The address of ${host} cannot be looked up: this machine has no name server that answers.`, {
        cause: error,
      })
    throw faultOf(error, host)
  }
}
