/** Failures as RFC 9457 `application/problem+json`. What nobody foresaw becomes a reference to the log and tells nothing else. */
import type { Problem } from '../contract/api.ts'
import { Fault, httpStatus } from '../contract/fault.ts'

const TITLES: Record<Problem['code'], string> = {
  invalid: 'The request is not right',
  unauthorized: 'Not logged in',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  method_not_allowed: 'Not this method',
  conflict: 'Not in this state',
  stale: 'Changed meanwhile',
  too_large: 'Too large',
  unsupported_media_type: 'Not this kind of content',
  unprocessable: 'Cannot be done',
  limited: 'Too many requests',
  unavailable: 'Not available now',
  internal: 'Something broke',
}
const STATUS: Record<Problem['code'], number> = { ...httpStatus, method_not_allowed: 405, unsupported_media_type: 415, internal: 500 }

export function problemOf(code: Problem['code'], detail: string, requestId: string): Problem {
  return { type: `urn:banyan:problem:${code}`, title: TITLES[code], status: STATUS[code], detail, code, requestId }
}

/** `log` gets what the answer does not say. */
export function problemOfError(error: unknown, requestId: string, log: (words: string, cause: unknown) => void): Problem {
  if (error instanceof Fault) {
    if (error.cause !== undefined) log(`request ${requestId}: ${error.message}`, error.cause)
    return problemOf(error.code, error.message, requestId)
  }
  log(`request ${requestId} failed`, error)
  return problemOf('internal', `This is a fault of Banyan's own; the log says more under ${requestId}.`, requestId)
}

/** Headers that an answer to a failure needs. */
export const headersOf = (error: unknown): Record<string, string> =>
  error instanceof Fault && error.retryAfterSeconds !== undefined ? { 'retry-after': String(error.retryAfterSeconds) } : {}

export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer realm="banyan"' } : {}),
      ...headers,
    },
  })
}

export const notLoggedIn = (): Fault =>
  new Fault(
    'unauthorized',
    'Log in with a login link (`npx banyan open`), or send Authorization: Bearer with a token (`banyan token create`).',
  )
