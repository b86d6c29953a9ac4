/**
 * Words that come from other people's MCP servers, made fit to be shown: without characters that nobody sees or that steer a screen, and no
 * longer than they may be. Pure. What they ask for is never done; whoever shows them says whose they are.
 */

/** Controls, marks of direction, joiners and other characters without a shape, and the tags that hide whole sentences. */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Variation_Selector}]/gu

/** `most`: characters; what is cut is counted. */
export function cleaned(text: string, most: number): string {
  // Only a little more than can stay is looked at: some texts have megabytes.
  const whole = text
    .slice(0, most * 4)
    .replace(/\r\n?/g, '\n')
    .replace(UNSEEN, '')
  if (whole.length <= most && text.length <= most * 4) return whole
  return `${whole.slice(0, most)}… (${text.length - most} more characters were cut)`
}
/** In one line. */
export const cleanedLine = (text: string, most: number): string =>
  cleaned(text.slice(0, most * 8), most * 2)
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, most)

/** What became other, line by line with - and +; long runs of equal lines are left out. */
export function diffOf(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  return [
    ...a.slice(Math.max(0, head - 2), head).map((line) => `  ${line}`),
    ...a.slice(head, a.length - tail).map((line) => `- ${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+ ${line}`),
    ...a.slice(a.length - tail, a.length - tail + 2).map((line) => `  ${line}`),
  ].join('\n')
}
