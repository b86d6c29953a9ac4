/**
 * Ends commands with the runtime. A process group outlives the runtime that is killed with -9, because nobody is told. So one tiny shell
 * process, in a session of its own, reads a pipe whose other end only the runtime holds: it is told each group that starts and ends, and
 * when the pipe closes, however that came about, it kills every group that still runs. It needs /bin/sh and nothing else.
 *
 * A process that leaves its group (setsid, a daemon) is out of reach: only a PID namespace holds those.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Fault } from '../contract/fault.ts'

const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`

export type Guardian = {
  /** Resolves when the kernel holds the message: from then on the group dies with the runtime. */
  watch(group: number): Promise<void>
  forget(group: number): void
  stop(): void
}

/** Starts its process at the first `watch`, and another one if that was killed. */
export function guardian(): Guardian {
  const groups = new Set<number>()
  let child: ChildProcess | undefined

  function start(): ChildProcess {
    const started = spawn('/bin/sh', ['-c', SCRIPT, 'banyan-guardian'], {
      env: {},
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const gone = () => {
      if (child === started) child = undefined
    }
    started.once('error', gone)
    started.once('exit', gone)
    started.stdin?.on('error', gone)
    // It must not keep the runtime alive: it is there for when the runtime is not.
    started.unref()
    if (started.stdin && 'unref' in started.stdin && typeof started.stdin.unref === 'function') started.stdin.unref()
    for (const group of groups) started.stdin?.write(`+ ${group}\n`)
    child = started
    return started
  }
  const tell = (line: string) =>
    new Promise<boolean>((resolve) => {
      const to = child ?? start()
      if (!to.stdin?.writable) resolve(false)
      else to.stdin.write(line, (error) => resolve(!error))
    })

  return {
    async watch(group) {
      let told = await tell(`+ ${group}\n`)
      if (!told) {
        // It was killed just now: the next one is told every group anew.
        child = undefined
        told = await tell(`+ ${group}\n`)
      }
      if (told) groups.add(group)
      else {
        throw new Fault(
          'unavailable',
          'The shell process that ends commands together with the runtime could not be started; check that /bin/sh works.',
        )
      }
    },
    forget(group) {
      groups.delete(group)
      if (child?.stdin?.writable) child.stdin.write(`- ${group}\n`)
    },
    stop() {
      child?.stdin?.end()
    },
  }
}
