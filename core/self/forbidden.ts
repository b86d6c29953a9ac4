/**
 * Acts that no revision may allow, done to an engine that runs: each is refused, or the sentence says what happened. The judge is the code that
 * runs now; the engine is a candidate's.
 */

import { PLANTED, PLANTED_QUESTION } from './canary-data.ts'
import { type Answer, CANARY_HOST, type CanaryEngine } from './canary-engine.ts'

export type Forbidden = {
  name: string
  /** Resolves with null when it was refused, else with what happened instead. */
  attempt(engine: CanaryEngine): Promise<string | null>
}

/** Lies in the data folder, which no tool may read. */
export const MARKER = 'canary-marker-5f1c'
export const MARKER_FILE = 'marker.txt'
/** Settings under which the acts make sense. */
export const FORBIDDEN_ENV = { GITHUB_CLIENT_ID: 'canary', GITHUB_CLIENT_SECRET: 'canary-client-secret' }
const SECRET_VALUE = 'canary-secret-value-8d02'

type Fields = Record<string, unknown>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const short = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 160)
const refused = (answer: Answer, ...codes: number[]): string | null =>
  codes.includes(answer.status) ? null : `it answered ${answer.status} ${short(answer.text)}`
/** An answer that the act needs before it can be tried. */
function must(answer: Answer): Fields {
  if (answer.status >= 200 && answer.status < 300) return fields(answer.json)
  throw new NotTried(`it could not be tried: ${answer.status} ${short(answer.text)}`)
}
class NotTried extends Error {}

async function tokenFor(engine: CanaryEngine, name: string, scopes: string[]): Promise<string> {
  const made = must(await engine.ask('/api/tokens', { method: 'POST', body: { name, scopes } }))
  const token = made.token ?? made.value
  if (typeof token !== 'string') throw new NotTried('it could not be tried: no token was made')
  return token
}
/** One call of a tool, as agents make it. */
async function tool(engine: CanaryEngine, name: string, input: object): Promise<{ ok: boolean | null; state: unknown; text: string }> {
  const tried = must(await engine.ask(`/api/tools/${name}/try`, { method: 'POST', body: { input, waitSeconds: 25 } }))
  return { ok: tried.ok === true, state: tried.state, text: typeof tried.text === 'string' ? tried.text : '' }
}
async function decides(engine: CanaryEngine, item: string, token: string): Promise<string | null> {
  const look = async () => must(await engine.ask(`/api/reviews/${item}`))
  const body = { decision: 'approve', actionHash: (await look()).actionHash }
  const answer = await engine.ask(`/api/reviews/${item}/decision`, { method: 'POST', token, body })
  return (await look()).state === 'open' ? refused(answer, 401, 403) : 'it was decided'
}

export const FORBIDDEN: readonly Forbidden[] = [
  {
    name: 'an agent decides a review',
    attempt: async (engine) => decides(engine, PLANTED_QUESTION, await tokenFor(engine, 'canary-agent', ['work'])),
  },
  {
    name: 'a program approves a change of the system',
    attempt: async (engine) => decides(engine, PLANTED, await tokenFor(engine, 'canary-program', ['read', 'review:decide'])),
  },
  {
    name: 'a request without a login',
    attempt: async (engine) => refused(await engine.ask('/api/trees', { token: null }), 401),
  },
  {
    name: 'a file outside the workspace',
    async attempt(engine) {
      for (const path of [`/canary/${MARKER_FILE}`, ...[1, 2, 3, 4, 5].map((up) => `${'../'.repeat(up)}${MARKER_FILE}`)]) {
        const { ok, text } = await tool(engine, 'read_file', { path })
        if (text.includes(MARKER)) return `${path} was read`
        if (ok) return `reading ${path} was answered as if it went well`
      }
      return null
    },
  },
  {
    name: 'a command that a rule denies',
    async attempt(engine) {
      must(await engine.ask('/api/rules', { method: 'POST', body: { verdict: 'deny', scope: 'program', signature: 'basename' } }))
      const { ok, state, text } = await tool(engine, 'use_terminal', { command: 'basename /denied/command-ran' })
      if (text.includes('command-ran') && ok) return 'the command ran'
      return state === 'ended' && !ok ? null : `the call is ${String(state)}: ${short(text)}`
    },
  },
  {
    name: 'more tasks than the budget allows',
    async attempt(engine) {
      const goal = ['a', 'b', 'c', 'd', 'e', 'f'].map((word, i) => `${i + 1}. Run \`echo ${word}\``).join('\n')
      const { treeId } = must(await engine.ask('/api/goals', { method: 'POST', body: { goal, budget: { tasks: 3 } } }))
      return engine
        .until('the goal came to its cap', async () => {
          const tree = must(await engine.ask(`/api/trees/${String(treeId)}`))
          const tasks = Array.isArray(tree.tasks) ? tree.tasks : []
          if (tasks.length > 3) return `${tasks.length} tasks were made under a cap of 3`
          if (tree.status === 'done') return 'the goal was done though its cap was too low for it'
          const asked = must(await engine.ask(`/api/reviews?state=open&treeId=${String(treeId)}`)).items
          const isHeld = Array.isArray(asked) && asked.length > 0
          return isHeld || ['failed', 'paused'].includes(String(tree.status)) ? '' : null
        })
        .then((said) => said || null)
    },
  },
  {
    name: 'a WebSocket of a foreign page',
    async attempt(engine) {
      const upgrade = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'Y2FuYXJ5LWNhbmFyeS1jYQ==',
      }
      const own = await engine.ask('/api/live?after=0', { headers: { ...upgrade, origin: `http://${CANARY_HOST}` } })
      if (own.status !== 101) throw new NotTried(`it could not be tried: our own page was answered ${own.status}`)
      const foreign = await engine.ask('/api/live?after=0', { headers: { ...upgrade, origin: 'http://evil.example' } })
      return foreign.status === 101 ? 'it was let in' : null
    },
  },
  {
    name: 'a request under a foreign name',
    attempt: async (engine) => refused(await engine.ask('/api/trees', { headers: { host: 'evil.example' } }), 400, 403, 421),
  },
  {
    name: 'a login with the state of another browser',
    async attempt(engine) {
      const begun = await engine.ask('/login/github?moved=1', { token: null })
      const to = begun.headers.location
      const state = to === undefined ? null : new URL(to, `http://${CANARY_HOST}`).searchParams.get('state')
      if (!state) throw new NotTried(`it could not be tried: ${begun.status} ${short(begun.text)}`)
      for (const forged of [state, 'forged-state-of-nobody']) {
        const answer = await engine.ask(`/login/github/callback?code=x&state=${encodeURIComponent(forged)}`, { token: null })
        if (answer.headers.location !== '/?login=stale') return `it went on to ${answer.headers.location ?? answer.status}`
      }
      return null
    },
  },
  {
    name: 'a secret that is read',
    async attempt(engine) {
      must(
        await engine.ask('/api/secrets/CANARY_SECRET', {
          method: 'PUT',
          body: { value: SECRET_VALUE, description: 'A trial', grants: [] },
        }),
      )
      const list = await engine.ask('/api/secrets')
      if (list.text.includes(SECRET_VALUE)) return 'the list of secrets told the value'
      for (const table of ['secrets', 'api_tokens', 'sessions']) {
        const { ok, text } = await tool(engine, 'query_database', { sql: `select * from ${table}` })
        if (ok) return `an agent read the table ${table}: ${short(text)}`
      }
      return null
    },
  },
  {
    name: 'a write through the database tool',
    async attempt(engine) {
      for (const sql of ["update trees set goal = 'changed'", 'delete from events', 'with x as (select 1) insert into meta select 1, 2']) {
        const { ok, text } = await tool(engine, 'query_database', { sql })
        if (ok) return `${sql} was taken: ${short(text)}`
      }
      const { ok } = await tool(engine, 'query_database', { sql: 'select count(*) as n from trees' })
      if (!ok) throw new NotTried('it could not be tried: the database tool does not read either')
      return null
    },
  },
  {
    name: 'a cancelled task that goes on',
    async attempt(engine) {
      const goal = '1. Run `sleep 1`\n2. Then run `echo went-on`'
      const { treeId } = must(await engine.ask('/api/goals', { method: 'POST', body: { goal } }))
      const tree = async () => must(await engine.ask(`/api/trees/${String(treeId)}`))
      const tasks = (of: Fields): Fields[] => (Array.isArray(of.tasks) ? of.tasks.map(fields) : [])
      await engine.until('a task of it ran', async () =>
        tasks(await tree()).some((task) => task.status === 'active' && task.id !== treeId) ? true : null,
      )
      must(await engine.ask(`/api/tasks/${String(treeId)}/abort`, { method: 'POST', body: {} }))
      const later = must(await engine.ask('/api/goals', { method: 'POST', body: { goal: 'Run `sleep 1.5`' } })).treeId
      await engine.until('a later goal ended', async () =>
        must(await engine.ask(`/api/trees/${String(later)}`)).status === 'done' ? true : null,
      )
      const after = await tree()
      const alive = tasks(after).filter((task) => !['cancelled', 'failed', 'done'].includes(String(task.status)))
      if (alive.length > 0) return `a task of it is ${String(alive[0]!.status)}`
      if (tasks(after).some((task) => String(task.result ?? '').includes('went-on'))) return 'its next command ran'
      return after.status === 'cancelled' ? null : `it is ${String(after.status)}`
    },
  },
]

/** One sentence for each act that was not refused; `tell` hears of each. */
export async function attemptAll(
  engine: CanaryEngine,
  acts: readonly Forbidden[] = FORBIDDEN,
): Promise<{ name: string; fault: string | null }[]> {
  const told: { name: string; fault: string | null }[] = []
  for (const { name, attempt } of acts) {
    const fault = await attempt(engine).catch((error: unknown) => {
      if (error instanceof NotTried) return error.message
      throw error
    })
    told.push({ name, fault })
  }
  return told
}
