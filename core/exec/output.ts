/**
 * Keeps the head and the tail of a stream of any length in a fixed amount of memory. What a command says first and what it says last is
 * what people and models need; a gigabyte in between is counted and dropped, at the cost of one copy of at most `limit` bytes a chunk.
 */
export type Ends = {
  add(chunk: Buffer): void
  /** So many bytes came here that nobody will see: they count as left out. */
  lose(bytes: number): void
  /** What was kept as text, cut between characters. NUL is shown as ␀, because PostgreSQL cannot hold it in a text. */
  text(): string
  /** Everything that came by, kept or not. */
  readonly bytes: number
}

export function keepEnds(limit: number): Ends {
  const headSize = Math.ceil(limit / 2)
  const tailSize = limit - headSize
  const head: Buffer[] = []
  let headBytes = 0
  /** A ring: `end` is where the next byte goes, `tailBytes` how many were ever put in. */
  let tail: Buffer | null = null
  let end = 0
  let tailBytes = 0
  let lost = 0

  function addTail(chunk: Buffer): void {
    tailBytes += chunk.length
    if (tailSize === 0) return
    tail ??= Buffer.allocUnsafe(tailSize)
    const last = chunk.length > tailSize ? chunk.subarray(chunk.length - tailSize) : chunk
    const upToEdge = Math.min(last.length, tailSize - end)
    last.copy(tail, end, 0, upToEdge)
    last.copy(tail, 0, upToEdge)
    end = (end + last.length) % tailSize
  }

  return {
    add(chunk) {
      const room = headSize - headBytes
      if (room > 0) {
        // A copy: a slice would hold the whole 64 KiB that the stream allocated.
        head.push(Buffer.from(chunk.subarray(0, room)))
        headBytes += Math.min(room, chunk.length)
      }
      if (chunk.length > room) addTail(room > 0 ? chunk.subarray(room) : chunk)
    },
    lose(bytes) {
      lost += bytes
    },
    text() {
      const first = Buffer.concat(head)
      const last = !tail
        ? Buffer.alloc(0)
        : tailBytes <= tailSize
          ? tail.subarray(0, tailBytes)
          : Buffer.concat([tail.subarray(end), tail.subarray(0, end)])
      if (tailBytes <= tailSize) return readable(Buffer.concat([first, last]))
      const begin = withoutCutEnd(first)
      const rest = withoutCutStart(last)
      const dropped = lost + headBytes + tailBytes - begin.length - rest.length
      return `${readable(begin)}\n[… ${dropped} bytes left out …]\n${readable(rest)}`
    },
    get bytes() {
      return lost + headBytes + tailBytes
    },
  }
}

const readable = (bytes: Buffer): string => bytes.toString('utf8').replaceAll('\0', '␀')
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Without the beginning of a UTF-8 character whose end was cut off. */
export function withoutCutEnd(bytes: Buffer): Buffer {
  let start = bytes.length - 1
  while (start > bytes.length - 4 && isContinuation(bytes[start])) start--
  const lead = bytes[start] ?? 0
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return bytes.length - start < length ? bytes.subarray(0, start) : bytes
}
/** Without the end of a UTF-8 character whose beginning was cut off. */
function withoutCutStart(bytes: Buffer): Buffer {
  let start = 0
  while (start < 3 && isContinuation(bytes[start])) start++
  return bytes.subarray(start)
}
