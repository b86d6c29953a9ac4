/** The goal of the composer as a command for a shell: by the command line of Banyan, by HTTP and by MCP. Pure. */
import type { Body } from './draft.ts'

/** A word that a POSIX shell hands over as it is. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

const LINE = ' \\\n  '

/** `files`: names of the attachments; the command line sends them from the folder that it is run in. */
export function asCommand(body: Body, files: readonly string[]): string {
  const { goal, agent, example, model, approval, priority, workspace, mode, budget, plan, rules = [], criteria = [] } = body
  const caps = Object.entries(budget ?? {}).map(([cap, value]) => `${cap}=${decimal(value)}`)
  const options = [
    ...Object.entries({ agent, example, model, approval, workspace, mode }).map(
      ([name, value]) => value !== undefined && `--${name}=${quoted(value)}`,
    ),
    priority !== undefined && priority !== 0 && `--priority=${priority}`,
    caps.length > 0 && `--budget=${caps.join(',')}`,
    files.length > 0 && `--attach ${files.map((name) => quoted(name.startsWith('-') ? `./${name}` : name)).join(' ')}`,
    ...rules.map(({ verdict, scope, signature }) => `--rule ${quoted(`${verdict} ${scope} ${signature}`)}`),
    ...criteria.map((one) => `--criteria=${quoted(one)}`),
    plan && '--plan',
  ].filter((one): one is string => typeof one === 'string')
  // "-" alone would mean stdin, and a goal that begins with one an option; --attach takes every word up to the next option.
  if (goal.trim() === '-') return [`printf %s ${quoted(goal)} | npx banyan goal -`, ...options].join(LINE)
  return ['npx banyan goal', ...options, `-- ${quoted(goal)}`].join(LINE)
}
/** As the command line reads numbers: digits, without an exponent. */
const decimal = (value: unknown): string =>
  Number(value)
    .toFixed(6)
    .replace(/\.?0+$/, '')

/** `from`: a past goal that is given again. The token is read from the environment, so it is never in the text. */
export function asRequest(body: Body, origin: string, from?: string): string {
  const path = from === undefined ? '/api/goals' : `/api/trees/${encodeURIComponent(from)}/fork`
  return [
    `curl -X POST ${quoted(origin + path)}`,
    '-H "Authorization: Bearer $BANYAN_TOKEN"',
    "-H 'Content-Type: application/json'",
    `--data-raw ${quoted(JSON.stringify(body))}`,
  ].join(LINE)
}

/** A call of MCP. `left`: what was said beside the goal that its tool cannot be told. */
export function asToolCall({ goal, criteria, agent, model, approval, plan, budget, ...rest }: Body): {
  text: string
  left: (keyof typeof rest)[]
} {
  const said = { goal, criteria, agent, model, approval, plan, budget }
  const call = { method: 'tools/call', params: { name: 'start_goal', arguments: said } }
  const left = (Object.keys(rest) as (keyof typeof rest)[]).filter((name) => rest[name] !== undefined)
  return { text: JSON.stringify(call, null, 2), left }
}
