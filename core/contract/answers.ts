/** Texts that one part writes into a tool's answer and another part reads back. Written and read here, so that they cannot drift. */

export type ChildAnswer = { title: string; status: string; id: string; summary: string }

/**
 * What a parent gets from its subtasks: a heading and the summary of each, never a transcript. A line of a summary that looks like such a
 * heading gets a backslash, so that no summary can speak for another subtask.
 */
export function writeChildren(children: readonly ChildAnswer[]): string {
  return children
    .map((c, i) => {
      const summary = c.summary.trim().replace(/^(?=\\*### \d+ · )/gm, '\\')
      return `### ${i + 1} · ${c.status} · ${c.title.replace(/\s+/g, ' ')} · ${c.id}\n${summary}`
    })
    .join('\n\n')
}
export function readChildren(text: string): ChildAnswer[] {
  return text
    .split(/^(?=### \d+ · )/m)
    .map((block): ChildAnswer | null => {
      const head = /^### \d+ · (\w+) · (.*) · (\S+)\n?/.exec(block)
      return head
        ? {
            status: head[1]!,
            title: head[2]!,
            id: head[3]!,
            summary: block
              .slice(head[0].length)
              .trim()
              .replace(/^\\(?=\\*### \d+ · )/gm, ''),
          }
        : null
    })
    .filter((child) => child !== null)
}

export type CommandAnswer = { exitCode: number | null; ending: string; isolation: string; stdout: string; stderr: string }

/** What a command did, for the model and for a person. `ending` says what ended it when there is no exit code. */
export function writeCommand(
  r: CommandAnswer & {
    wallMs: number
    stdoutBytes: number
    stderrBytes: number
    repeated?: boolean
    /** How often it was run again because it failed with an error that is known to pass by itself. */
    repeats?: number
    /** Why it ran at a weaker level than the best. */
    unsandboxed?: string | null
    oomKilled?: boolean
    usage?: { cpuMs: number | null; peakMemoryBytes: number | null }
    /** What it did on the network, as one line; null where it was given none. */
    network?: string | null
  },
): string {
  const cpu = r.usage?.cpuMs == null ? '' : `, ${Math.round(r.usage.cpuMs)} ms of CPU`
  const memory = r.usage?.peakMemoryBytes == null ? '' : `, at most ${Math.ceil(r.usage.peakMemoryBytes / 2 ** 20)} MB of memory`
  const killed = r.oomKilled ? ', ended for want of memory' : ''
  return [
    `exit code: ${r.exitCode ?? `none (${r.ending})`}`,
    `isolation: ${r.isolation}${r.unsandboxed ? ` (${r.unsandboxed.replace(/\s+/g, ' ')})` : ''}`,
    `time: ${Math.round(r.wallMs)} ms${cpu}${memory}${killed}${r.repeated ? ' (run again from its start after a restart)' : ''}${r.repeats ? ` (run ${r.repeats + 1} times: its error is known to pass by itself)` : ''}`,
    ...(r.network == null ? [] : [`network: ${r.network.replace(/\s+/g, ' ')}`]),
    `--- stdout (${r.stdoutBytes} bytes) ---`,
    r.stdout.trimEnd(),
    `--- stderr (${r.stderrBytes} bytes) ---`,
    r.stderr.trimEnd(),
  ].join('\n')
}
export function readCommand(text: string): CommandAnswer | null {
  const head =
    /^exit code: (?:(-?\d+)|none \(([^)]*)\))\nisolation: (\S+)(?: .*)?\ntime: .*\n(?:network: .*\n)?--- stdout \(\d+ bytes\) ---\n([\s\S]*?)\n?--- stderr \(\d+ bytes\) ---\n?([\s\S]*)$/.exec(
      text,
    )
  if (!head) return null
  return {
    exitCode: head[1] === undefined ? null : Number(head[1]),
    ending: head[2] ?? '',
    isolation: head[3]!,
    stdout: head[4]!,
    stderr: head[5]!,
  }
}

/** True when the command was cut off by a restart and what is told is its second run. */
export const isRepeated = (text: string): boolean =>
  /^exit code: [^\n]*\nisolation: [^\n]*\ntime: [^\n]* \(run again from its start after a restart\)\n/.test(text)

/** The first words of the message with which a person has a task tried again. */
export const TRY_AGAIN = 'A person asked you to try again.'
