/** Reads that many ask for and that grow with the database: they must not take the time of the only thread from everything else. */

/** A read takes at most this part of the time, however often it is asked for. */
const SHARE = 10
/** Nobody waits longer than this for it to begin. */
const WAIT_MS = 3_000

/**
 * The same read, of which one waits at most: whoever asks meanwhile gets its answer. What is answered was read after it was asked for; the
 * wait before it is ten times as long as the read before took, three seconds at most. A read that fails fails for those who waited.
 */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let next: Promise<T> | null = null
  let last: Promise<unknown> = Promise.resolve()
  let notBefore = 0
  const begin = async (): Promise<T> => {
    await last
    const wait = notBefore - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    next = null // who asks from here on may want what is committed from here on
    const began = performance.now()
    const reading = read()
    last = reading.then(
      () => undefined,
      () => undefined, // those who waited are told
    )
    try {
      return await reading
    } finally {
      const now = performance.now()
      notBefore = now + Math.min(WAIT_MS, (now - began) * SHARE)
    }
  }
  return () => {
    next ??= begin()
    return next
  }
}
