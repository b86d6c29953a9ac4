/** The door to running commands: one verb, whatever isolates the command underneath. */
import type { AllowedHost, NetworkUse } from '../contract/network.ts'
import type { TerminalSize } from './terminal.ts'

/**
 * How far a command was kept from the rest of the machine. `plain`: limits and a built environment, no isolation. `sandbox`: its workspace and
 * the machine's programs, and nothing else (see sandbox.ts). `container`: its workspace and the programs of an image (see docker.ts).
 */
export type Isolation = 'plain' | 'sandbox' | 'container'

/** The input of a command that runs. */
export type Input = {
  /** A Fault when the command has ended, or does not read what it was given before. */
  write(text: string): void
  /** No more follows; in a terminal the key Ctrl-D. */
  end(): void
}
/** For a command that is spoken with while it runs. */
export type Live = {
  /** Both streams, in the order in which they come; a terminal has one only, which counts as stdout. */
  onOutput(chunk: Buffer, from: 'stdout' | 'stderr'): void
  /** Called once: it has begun. */
  onStart(input: Input): void
  /** It gets a terminal of this size as all its streams. `unavailable` where there is none to be had. */
  terminal?: TerminalSize
}

export type Command = {
  /** Either an argument vector, run without a shell, or one line for `/bin/sh -c`. */
  run: { argv: readonly string[] } | { shell: string }
  /** Absolute; must exist. */
  cwd: string
  /** Folder that it may write in, and in a sandbox the only one it sees: `cwd` lies in it. Left out, it is `cwd`. */
  workspace?: string
  /** It may only read its workspace. Held in a sandbox alone: such a command needs `isolation: 'sandbox'`. */
  readOnly?: true
  /** Absolute folder that it finds, read-only, at /tool. In a sandbox alone. */
  tool?: string
  /** Absolute paths that a sandbox shows besides the workspace, as they are outside. */
  folders?: readonly { path: string; write: boolean }[]
  /**
   * What it must run at. `sandbox`, `container`: not started where there is none. `plain`: as somebody allowed. Left out: what the setting
   * ISOLATION says, else the best that this machine has, and the result says which.
   */
  isolation?: Isolation
  /**
   * `none`: not started where the network cannot be kept from it. Hosts: it reaches these through a proxy and nothing else; not started
   * where that cannot be held, unless it is to run `plain`, where nothing holds it. A container has no network at all and refuses hosts. Left
   * out: none in a sandbox or container, the machine's when plain.
   */
  network?: 'none' | readonly AllowedHost[]
  env?: Readonly<Record<string, string>>
  stdin?: string
  /** Its input stays open, and its output is told as it comes. */
  live?: Live
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
  /** Why it ran plain although nobody asked for that; null otherwise. */
  unsandboxed: string | null
  /** What all its processes used together; null where this machine does not count it. Memory includes files that were held in it. */
  usage: { cpuMs: number | null; peakMemoryBytes: number | null }
  /** True when a process of it was ended because it wanted more memory than it may have; the command itself may have gone on. */
  oomKilled: boolean
  /** What it did on the network; null when no hosts were allowed, or nothing held it to them. */
  network: NetworkUse | null
}

export type Exec = {
  /**
   * Never rejects for what the command did. Rejects with a Fault when it could not be started: no such program, no such folder, or
   * `unavailable` when it must be isolated more than this machine can. In a sandbox or a container a command that a signal ended has the exit code
   * 128 + its number, as in a shell.
   */
  run(command: Command, signal: AbortSignal): Promise<CommandResult>
  /** What a command runs at that does not say: what the setting ISOLATION says, else the best that this machine has. */
  readonly isolation: Isolation
}
