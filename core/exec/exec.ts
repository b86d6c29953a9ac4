/** The door to running commands: one verb, whatever isolates the command underneath. */

/** How far a command was kept from the rest of the machine. `plain`: limits and a built environment, no isolation. */
export type Isolation = 'plain'

export type Command = {
  /** Either an argument vector, run without a shell, or one line for `/bin/sh -c`. */
  run: { argv: readonly string[] } | { shell: string }
  /** Absolute; must exist. */
  cwd: string
  env?: Readonly<Record<string, string>>
  stdin?: string
  timeoutMs: number
  /** Output kept of each stream, head and tail; the rest is counted and dropped. */
  outputBytes: number
}

export type CommandResult = {
  /** null when a signal or the time-out ended it. */
  exitCode: number | null
  signal: string | null
  timedOut: boolean
  aborted: boolean
  stdout: string
  stderr: string
  /** Bytes produced, kept or not. */
  stdoutBytes: number
  stderrBytes: number
  wallMs: number
  isolation: Isolation
}

export type Exec = {
  /** Never rejects for what the command did. Rejects with a Fault when it could not be started (no such program, no such folder). */
  run(command: Command, signal: AbortSignal): Promise<CommandResult>
  readonly isolation: Isolation
}
