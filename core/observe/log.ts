/**
 * The runtime's own log: lines with the tree and task they speak of, without secrets. The newest are in memory for whoever asks; all go to
 * a file in DATA_DIR/logs that is rotated, and a restart goes on from it.
 */
import { appendFile, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogLine } from '../contract/api-system.ts'
import { LOG_LEVELS, type LogLevel } from '../contract/log-level.ts'

export type Log = Awaited<ReturnType<typeof openLog>>
export type About = { treeId?: string; taskId?: string }

/** Lines that are kept in memory. */
const KEPT = 2_000
const MAX_BYTES = 5_000_000
/** Files besides the newest. */
const OLDER = 4
/** Read back at the start. */
const TAIL_BYTES = 512 * 1024
/** Characters of one line's text; a stack is shorter. */
const TEXT = 10_000

export async function openLog(parts: {
  /** Made if it is not there. */
  folder: string
  redact: (text: string) => string
  now?: () => number
  maxBytes?: number
}) {
  const now = parts.now ?? Date.now
  const maxBytes = parts.maxBytes ?? MAX_BYTES
  const file = join(parts.folder, 'runtime.jsonl')
  await mkdir(parts.folder, { recursive: true, mode: 0o700 })
  let lines = await tailOf(file)
  let n = lines.at(-1)?.n ?? 0
  let bytes = await stat(file).then(
    (found) => found.size,
    () => 0, // not there yet
  )
  let queued: string[] = []
  let writing: Promise<void> | undefined

  async function flush(): Promise<void> {
    while (queued.length > 0) {
      const text = queued.join('')
      queued = []
      try {
        if (bytes > 0 && bytes + Buffer.byteLength(text) > maxBytes) await rotate()
        await appendFile(file, text, { mode: 0o600 })
        bytes += Buffer.byteLength(text)
      } catch {
        // A disk that is full must not stop the work; the lines are in memory and on stderr.
      }
    }
    writing = undefined
  }
  async function rotate(): Promise<void> {
    await rm(`${file}.${OLDER}`, { force: true })
    for (let i = OLDER - 1; i >= 0; i--) {
      const from = i === 0 ? file : `${file}.${i}`
      await rename(from, `${file}.${i + 1}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
    }
    bytes = 0
  }

  return {
    /** Never throws and never waits; the file follows. */
    write(level: LogLevel, text: string, about: About = {}): void {
      n += 1
      const line: LogLine = { n, at: new Date(now()).toISOString(), level, text: parts.redact(text).slice(0, TEXT), ...about }
      lines.push(line)
      if (lines.length > 2 * KEPT) lines = lines.slice(-KEPT)
      queued.push(`${JSON.stringify(line)}\n`)
      writing ??= Promise.resolve().then(flush)
    },
    /** Lines of this level and above, oldest first: the first after `after`, or the newest. */
    list(ask: {
      level: LogLevel
      after?: number | undefined
      treeId?: string | undefined
      taskId?: string | undefined
      limit: number
    }): LogLine[] {
      const least = LOG_LEVELS.indexOf(ask.level)
      const found = lines
        .slice(-KEPT)
        .filter(
          (line) =>
            LOG_LEVELS.indexOf(line.level) >= least &&
            (ask.after === undefined || line.n > ask.after) &&
            (ask.treeId === undefined || line.treeId === ask.treeId) &&
            (ask.taskId === undefined || line.taskId === ask.taskId),
        )
      return ask.after === undefined ? found.slice(-ask.limit) : found.slice(0, ask.limit)
    },
    /** Resolves when everything written so far is in the file. */
    async close(): Promise<void> {
      await writing
    },
  }
}

async function tailOf(file: string): Promise<LogLine[]> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!handle) return []
  try {
    const { size } = await handle.stat()
    const from = Math.max(0, size - TAIL_BYTES)
    const buffer = Buffer.alloc(size - from)
    await handle.read(buffer, 0, buffer.length, from)
    return buffer
      .toString('utf8')
      .split('\n')
      .flatMap((text): LogLine[] => {
        try {
          const line = JSON.parse(text) as LogLine
          return Number.isSafeInteger(line.n) && LOG_LEVELS.includes(line.level) ? [line] : []
        } catch {
          return [] // cut off at either end
        }
      })
      .slice(-KEPT)
  } finally {
    await handle.close()
  }
}
