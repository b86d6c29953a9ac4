/** A failure that somebody outside may be told about. Any other thrown value is a bug and becomes a 500 with a reference to the log. */
export type FaultCode =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  /** What the caller began with is no longer the newest. */
  | 'stale'
  | 'too_large'
  | 'unprocessable'
  | 'limited'
  | 'unavailable'

/** The message is one sentence that names what was wrong and, where it can, the mend. */
export class Fault extends Error {
  readonly code: FaultCode
  /** Whoever comes back earlier is refused again. */
  readonly retryAfterSeconds: number | undefined
  constructor(code: FaultCode, message: string, options?: ErrorOptions & { retryAfterSeconds?: number }) {
    super(message, options)
    this.name = 'Fault'
    this.code = code
    this.retryAfterSeconds = options?.retryAfterSeconds
  }
}

/** HTTP status of each code. */
export const httpStatus = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  stale: 412,
  too_large: 413,
  unprocessable: 422,
  limited: 429,
  unavailable: 503,
} as const satisfies Record<FaultCode, number>
