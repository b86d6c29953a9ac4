/** What Node made of our sources is kept for the next process that a test starts: an engine is then up with two thirds of the CPU. */
import { dirname, join } from 'node:path'

const root = dirname(dirname(import.meta.dirname))

/** Goes into the environment of a process that runs our sources. Node looks at the contents of each file, so an edit is never missed. */
export const compiled = (): { NODE_COMPILE_CACHE: string } => ({
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'banyan', 'compile'),
})
