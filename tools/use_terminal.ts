import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { writeCommand } from '../core/contract/answers.ts'
import { lineOf, refusalOf, riskOf } from '../core/contract/command-text.ts'
import { writeJob } from '../core/contract/job-text.ts'
import { type Habits, programOf, type Repeat, readsLike } from '../core/contract/learning.ts'
import { hostPattern, MOST_HOSTS, networkWords, readHosts, writeHost } from '../core/contract/network.ts'
import { refusedVariables } from '../core/contract/variables.ts'
import { answer, type Capabilities, defineTool, faultAsMistake, mistake } from '../core/tool.ts'

const input = z
  .object({
    command: z.string().min(1).max(100_000).optional().describe('One line or script for /bin/sh.'),
    argv: z
      .array(z.string().max(100_000))
      .min(1)
      .max(1_000)
      .optional()
      .describe('Program and arguments, run without a shell: nothing needs quoting. Use it for file names and texts with odd characters.'),
    cwd: z.string().max(4_000).optional().describe('Folder to run in, relative to the workspace. Default: the workspace itself.'),
    timeout_seconds: z
      .number()
      .int()
      .min(1)
      .max(3_600)
      .optional()
      .describe('The command and all it started are ended after this time. Default: 120, or 3600 in the background.'),
    env: z
      .record(z.string(), z.string())
      .optional()
      .describe('More variables for its environment, for example {"NODE_ENV": "test"}. Never secrets: these are named in "secrets".'),
    secrets: z
      .array(z.string().max(64))
      .max(20)
      .optional()
      .describe('Names of secrets that the command finds as variables of its environment, for example ["GITHUB_TOKEN"].'),
    network: z
      .array(z.string().min(1).max(260))
      .max(MOST_HOSTS)
      .optional()
      .describe(
        'Hosts that the command must reach, for example ["registry.npmjs.org", "*.githubusercontent.com", "example.org:8443"]; a name alone means its ports 80 and 443. Without it there is no network in the sandbox.',
      ),
    stdin: z.string().max(1_000_000).optional().describe('Text for its standard input. Without it the input is empty.'),
    background: z
      .boolean()
      .optional()
      .describe('true: answers at once with a job, which goes on; look at it, write to it and stop it with terminal_job.'),
    terminal: z
      .object({ columns: z.number().int().min(20).max(500).default(120), rows: z.number().int().min(5).max(200).default(40) })
      .optional()
      .describe('Gives a background job a terminal (PTY) of this size, for programs that refuse to work without one. Mostly not needed.'),
  })
  .refine((given) => (given.command === undefined) !== (given.argv === undefined), {
    path: ['command'],
    error: 'give exactly one of "command" (a shell line) and "argv" (program and arguments)',
  })
  .refine((given) => given.terminal === undefined || given.background === true, {
    path: ['terminal'],
    error: 'a terminal is for jobs: give "background": true with it',
  })
type Input = z.output<typeof input>
type Result = Awaited<ReturnType<Capabilities['exec']['run']>>

const namesIn = (given: Input): string[] => [...new Set(given.secrets ?? [])]
/** Why the task cannot have one of them, or the hosts are no hosts. */
const missing = (given: Input, { secrets, exec }: Pick<Capabilities, 'secrets' | 'exec'>): string | null => {
  const hosts = hostsIn(given)
  if (typeof hosts === 'string') return hosts
  if (hosts.length > 0 && exec.isolation === 'container')
    return 'Commands run in containers here, which have no network; leave "network" out, or a person sets ISOLATION to sandbox.'
  for (const name of namesIn(given)) {
    const why = secrets.refusal(name)
    if (why !== null) return why
  }
  return null
}
/** Why it is not done at all, whoever would allow it. */
const refused = (given: Input, { origin, secrets, exec }: Pick<Capabilities, 'origin' | 'secrets' | 'exec'>): string | null =>
  refusalOf(lineFor(given), typed(given, origin).typed ? 'person' : 'agent', given.terminal !== undefined) ??
  refusedVariables(given.env ?? {}, namesIn(given)) ??
  missing(given, { secrets, exec })
/** Seconds: as the call says, as was learnt of its program, or the default. */
const timeoutOf = (given: Input, habits: Habits | null): number => {
  if (given.timeout_seconds !== undefined) return given.timeout_seconds
  if (given.background) return 3_600
  const program = programOf(lineFor(given))
  return habits?.limits.find((limit) => limit.program === program)?.seconds ?? habits?.seconds ?? 120
}
const hostsIn = (given: Input) => readHosts(given.network ?? [])
const hostWords = (given: Input): string[] => {
  const hosts = hostsIn(given)
  return typeof hosts === 'string' ? [] : hosts.map(writeHost)
}
const hostPatterns = (given: Input): string[] => {
  const hosts = hostsIn(given)
  return typeof hosts === 'string' ? [] : [...new Set(hosts.map(hostPattern))]
}
/** What a person reads of it before they decide. */
const networkShown = (given: Input, exec: Capabilities['exec']): { network?: string | string[] } => {
  const hosts = hostWords(given)
  if (hosts.length === 0) return {}
  if (exec.isolation === 'sandbox') return { network: hosts }
  return { network: `whatever this machine reaches; there is no sandbox here that could hold it to ${hosts.join(', ')}` }
}
const lineFor = (given: Input): string => given.command ?? lineOf(given.argv ?? [])
/** In the workspace itself: the same words in another folder, or with an input of the agent's, are not what the person typed. */
const typed = (given: Input, origin: Capabilities['origin']): { typed: boolean; once: boolean } =>
  given.stdin === undefined &&
  given.env === undefined &&
  namesIn(given).length === 0 &&
  (given.network ?? []).length === 0 &&
  ['', '.', './'].includes(given.cwd ?? '')
    ? origin.typedByPerson(lineFor(given).trim())
    : { typed: false, once: false }

/** Runs again what failed as a known error does that passes by itself; `repeats` says how often. */
async function withRepeats(
  run: () => Promise<Result>,
  known: readonly Repeat[],
  signal: AbortSignal,
): Promise<{ result: Result; repeats: number }> {
  for (let repeats = 0; ; repeats++) {
    const result = await run()
    const lines = result.exitCode === 0 || result.exitCode === null ? [] : `${result.stderr}\n${result.stdout}`.split('\n')
    const repeat = known.find(({ error, times }) => repeats < times && lines.some((line) => readsLike(line, error)))
    if (!repeat || signal.aborted) return { result, repeats }
    // Those who hindered each other must not come again at the same moment: each waits longer than the last time, by chance.
    await delay(repeat.waitMs * (1 + repeats) * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined) // stopped: the result stands
  }
}

/** Output of each stream that the model is shown. */
const OUTPUT_BYTES = 30_000

export default defineTool({
  name: 'use_terminal',
  description: `Runs a command in your workspace folder and gives back its exit code, standard output and standard error.

Use it to build, test, convert, measure or check something. For reading, writing, changing, listing and searching files use read_file, write_file, edit_file, list_files and search_files: they need nobody's consent and lose no output.

- Give exactly one of "command" (a line for /bin/sh, with pipes and &&) and "argv" (no shell).
- A command that you thought of waits until a person allows it. They see it exactly as you wrote it, so make it short and plain, and put what belongs together into one call. Commands that the person wrote in your task run at once: use their exact words, in the workspace folder.
- Every call starts anew: folder changes and variables do not stay. Files do. When the command ends, what it left in the background (with &) is ended too.
- For a server, a watcher or anything that takes minutes: "background": true. The answer names a job, such as job-1; go on with terminal_job. A job ends with your task, so end_task before it is done loses it.
- Nobody answers prompts: pass options such as --yes. Editors and other programs for a screen do not work.
- Where this machine has a sandbox, a command sees the workspace and the installed programs (/usr, read-only) and nothing else: no network but its own localhost, no other files. A command that must reach the internet (npm install, git clone, curl) names the hosts in "network"; it then reaches these, by http and https, through the proxy that its environment names, and the answer says what was reached and what was refused. Name as few as will do: a person reads them. In a container the programs are those of its image, and there is no network at all. The answer says which isolation it had.
- HOME is the workspace; keys and tokens of this system are not in the environment. A command that needs a key names it in "secrets" and reads it as a variable, such as $GITHUB_TOKEN; you never see its value, and it is taken out of the output.
- Of a long output the first and last ${OUTPUT_BYTES / 2_000} kB are shown. Write the rest to a file and read that.
- An exit code other than 0 usually means failure: read standard error, mend the cause, and do not simply repeat the command.`,
  permission: 'exec',
  needs: ['exec', 'jobs', 'origin', 'files', 'secrets'],
  input,
  effect(given, { origin }) {
    const by = typed(given, origin)
    return by.typed && !by.once ? 'idempotent' : 'once'
  },
  permit(given, { exec, origin, secrets }) {
    const line = lineFor(given)
    if (typed(given, origin).typed || refused(given, { origin, secrets, exec }) !== null) return 'allow'
    const oneLine = line.replace(/\s+/g, ' ').trim()
    return {
      ask: {
        title: `Run a command${given.background ? ' in the background' : ''}: ${oneLine.length > 80 ? `${oneLine.slice(0, 79)}…` : oneLine}`,
        action: {
          tool: 'use_terminal',
          ...(given.command === undefined ? { argv: given.argv } : { command: given.command }),
          cwd: given.cwd ?? '.',
          ...(given.stdin === undefined ? {} : { stdin: given.stdin }),
          ...(given.env === undefined ? {} : { env: given.env }),
          ...(namesIn(given).length === 0 ? {} : { secrets: namesIn(given) }),
          ...networkShown(given, exec),
          ...(given.background ? { background: true } : {}),
          ...(given.terminal === undefined ? {} : { terminal: given.terminal }),
          isolation: exec.isolation,
          timeoutSeconds: timeoutOf(given, exec.habits),
        },
        risk: riskOf(line),
      },
    }
  },
  facts(given, { exec, origin, secrets }) {
    return {
      by: typed(given, origin).typed ? 'person' : 'agent',
      run: given.command === undefined ? { argv: given.argv ?? [] } : { shell: given.command },
      cwd: given.cwd ?? '.',
      ...(given.stdin === undefined ? {} : { stdin: given.stdin }),
      ...(given.env === undefined ? {} : { env: given.env }),
      ...(given.background ? { background: true } : {}),
      isolation: exec.isolation,
      online: exec.isolation === 'plain' || hostWords(given).length > 0,
      // With a key in its hands a command can change what the key opens, and with hosts it can send them what it has read.
      ...(namesIn(given).length === 0 ? {} : { secrets: namesIn(given), external: true }),
      ...(hostWords(given).length === 0 ? {} : { network: hostWords(given), hosts: hostPatterns(given), external: true }),
      idle: refused(given, { origin, secrets, exec }) !== null,
    }
  },
  async run(given, { exec, files, jobs, origin, secrets, attempt, signal }) {
    const refusal = refused(given, { origin, secrets, exec })
    if (refusal) return mistake(refusal)
    const work = async () => {
      const hosts = hostsIn(given)
      const command = {
        run: given.command === undefined ? { argv: given.argv ?? [] } : { shell: given.command },
        cwd: await files.existing(given.cwd || '.'),
        env: {
          ...(given.terminal === undefined ? {} : { TERM: 'xterm-256color' }),
          ...given.env,
          ...(namesIn(given).length === 0 ? {} : await secrets.values(namesIn(given))),
          HOME: await files.existing('.'),
        },
        ...(given.stdin === undefined ? {} : { stdin: given.stdin }),
        // What a person typed runs at the best there is. What an agent thought of runs at what was shown and allowed, or not at all.
        ...(typed(given, origin).typed ? {} : { isolation: exec.isolation }),
        ...(typeof hosts === 'string' || hosts.length === 0 ? {} : { network: hosts }),
        timeoutMs: timeoutOf(given, exec.habits) * 1_000,
      }
      if (given.background) {
        const place = { place: given.cwd || '.', line: lineFor(given).trim(), secrets: namesIn(given), hosts: hostWords(given) }
        return answer(writeJob(await jobs.start({ ...command, ...place, ...(given.terminal ? { terminal: given.terminal } : {}) })))
      }
      const { result, repeats } = await withRepeats(
        () => exec.run({ ...command, outputBytes: OUTPUT_BYTES }),
        // Only what changes nothing more when it is done again.
        typed(given, origin).typed && !typed(given, origin).once ? (exec.habits?.repeats ?? []) : [],
        signal,
      )
      const ending = result.timedOut
        ? `timed out after ${timeoutOf(given, exec.habits)} s`
        : result.aborted
          ? 'stopped'
          : result.signal === null
            ? 'it could not be ended'
            : `killed by ${result.signal}`
      const network = result.network
        ? networkWords(result.network)
        : hosts.length > 0 && result.isolation === 'plain'
          ? 'not held to the hosts it named, because it ran without a sandbox'
          : null
      return answer(writeCommand({ ...result, network, ending, repeated: attempt > 1, repeats }))
    }
    return work().catch(faultAsMistake)
  },
})
