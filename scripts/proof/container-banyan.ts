/** A Banyan in a container, as its outside sees it: HTTP at the published port, and the words of Docker. */
import { setTimeout as pause } from 'node:timers/promises'
import { docker, must } from './engine-cli.ts'

export type Banyan = ReturnType<typeof banyan>
export type Goal = {
  id: string
  status: string
  result: string | null
  taskCount: number
  needsYou: number
  counts: Record<string, number>
}

/** A connection for each question: one that is kept would lead to a container that is gone. */
export const ask = (url: string, { headers = {}, ...init }: { method?: string; headers?: Record<string, string>; body?: string } = {}) =>
  fetch(url, { ...init, headers: { connection: 'close', ...headers }, signal: AbortSignal.timeout(30_000) })

const ENDED = ['done', 'failed', 'cancelled', 'skipped']

export function banyan(container: string, port: number, token: string) {
  const url = `http://127.0.0.1:${port}`
  async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await ask(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`)
    return (answer.status === 204 ? null : await answer.json()) as T
  }
  const exec = (...argv: string[]) => docker(['exec', container, ...argv])
  const goal = async (id: string): Promise<Goal> => {
    const { items } = await api<{ items: Goal[] }>('GET', '/api/trees?limit=50')
    const found = items.find((one) => one.id === id)
    if (!found) throw new Error(`the goal ${id} is gone`)
    return found
  }
  return {
    container,
    url,
    api,
    exec,
    goal,
    submit: async (text: string): Promise<string> => (await api<{ treeId: string }>('POST', '/api/goals', { goal: text })).treeId,
    /** The goal as soon as it has ended, or waits for a person. */
    ended: (id: string): Promise<Goal> =>
      until(`the end of goal ${id}`, 180, async () => {
        const found = await goal(id)
        return ENDED.includes(found.status) || found.needsYou > 0 ? found : null
      }),
    /** Seconds until `/health` answers. */
    async answers(seconds = 300): Promise<number> {
      const began = performance.now()
      await until(`an answer of ${url}/health`, seconds, async () => {
        const state = await inspect(container, '{{.State.Status}}')
        if (state === 'exited' || state === 'dead') throw new Error(`the container ended: ${await words(container)}`)
        return ask(`${url}/health`).then(
          (answer) => answer.ok || null,
          () => null, // not yet
        )
      })
      return (performance.now() - began) / 1_000
    },
    health: async () => (await (await ask(`${url}/health`)).json()) as { status: string; revision: string; uptimeSeconds: number },
    /** What `banyan doctor` says of one thing. */
    async doctor(name: string): Promise<{ state: string; words: string }> {
      const { out, err } = await exec('banyan', 'doctor', '--json')
      const { checks } = JSON.parse(out) as { checks: { name: string; state: string; words: string }[] }
      const found = checks.find((one) => one.name === name)
      if (!found) throw new Error(`doctor says nothing of ${name}: ${err}`)
      return found
    },
    /** Processes as `pid parent state command`, those of this look left out. */
    async processes(): Promise<{ pid: number; parent: number; state: string; command: string }[]> {
      const script =
        'for p in /proc/[0-9]*; do s=$(cat $p/stat 2>/dev/null) || continue; echo "$s|$(tr "\\0" " " < $p/cmdline)|$(readlink $p/ns/pid)"; done; readlink /proc/self/ns/pid'
      const { out } = await exec('sh', '-c', script)
      return out
        .split('\n')
        .filter((line) => line.includes('|'))
        .map((line) => {
          const [stat = '', command = ''] = line.split('|')
          const [, pid = '0', name = '', state = '?', parent = '0'] = /^(\d+) \((.*)\) (\S) (\d+)/.exec(stat) ?? []
          return { pid: Number(pid), parent: Number(parent), state, command: command.trim() || name }
        })
        .filter(({ command }) => !command.includes('/proc/[0-9]*'))
    },
    inspect: (format: string) => inspect(container, format),
    log: () => words(container),
  }
}

export const inspect = (container: string, format: string): Promise<string> => must(['inspect', '--format', format, container])
async function words(container: string): Promise<string> {
  const { out, err } = await docker(['logs', '--tail', '30', container])
  return (out + err).trim().slice(-1_500)
}

/** Asks again and again until there is an answer. Throws when the time is over, naming `what` it waited for. */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + seconds * 1_000
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (Date.now() > end) throw new Error(`${what} did not come within ${seconds} s`)
    await pause(300)
  }
}

export function expect(right: boolean, words: string): void {
  if (!right) throw new Error(words)
}
