/** Bytes of a web page to text: what the page says of its encoding, as browsers judge it. Pure. */

/** A byte order mark wins, then the header, then the page's own word; UTF-8 else, or Windows-1252 if it cannot be that. */
export function decode(bytes: Uint8Array, contentType: string | undefined, markup: boolean): string {
  const named = byMark(bytes) ?? known(/charset\s*=\s*["']?([^"'\s;]+)/i.exec(contentType ?? '')?.[1]) ?? (markup ? byMarkup(bytes) : null)
  if (named) return new TextDecoder(named).decode(bytes)
  try {
    // A page that was cut may end within a character; `stream` lets that pass.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
  } catch {
    return new TextDecoder('windows-1252').decode(bytes) // not UTF-8: any bytes are text in this one
  }
}

function byMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return null
}

/** What stands in the first 1,024 bytes, where the HTML standard looks for it. */
function byMarkup(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024)).toString('latin1')
  const label =
    /<meta[^>]{0,300}?charset\s*=\s*["']?([\w-]{1,40})/i.exec(start)?.[1] ??
    /^<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w-]{1,40})/.exec(start)?.[1]
  const name = known(label)
  // A page whose ASCII could be read cannot be UTF-16; the standard takes it for UTF-8.
  return name?.startsWith('utf-16') ? 'utf-8' : name
}

function known(label: string | undefined): string | null {
  if (!label) return null
  try {
    return new TextDecoder(label).encoding
  } catch {
    return null // a name that no standard knows says nothing
  }
}

/**
 * Without what is there only to deceive a reader: control characters, marks that turn the direction of text, and the invisible letters that
 * a model reads and a person does not.
 */
export function visible(text: string): string {
  return (
    text
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, '')
      .replace(/[\u{e0000}-\u{e007f}]|[\u{e0100}-\u{e01ef}]/gu, '')
      .replace(/[\ufe00-\ufe0f]{2,}/g, '') // one chooses how an emoji looks; a row of them spells hidden bytes
  )
}
