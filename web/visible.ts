/** Signs that cannot be seen but change what is read: controls, turns of direction, zero widths. Pure. */

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** A name of one line in which each such sign is told by its number: a file "gpj.exe" cannot pass as "exe.jpg". */
export const visible = (name: string): string =>
  name.replace(UNSEEN, (sign) => `⟨U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`)
/** Lines of code, in which a tab is a tab: what turns the direction of reading cannot make code look like other code. */
export const visibleCode = (line: string): string => line.replace(/[^\t]+/g, visible)
