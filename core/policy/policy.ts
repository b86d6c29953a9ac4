/**
 * Whether a call may run, from declared facts and the rules of people, and from nothing else: no clock, no rows, no words of the model.
 * deny wins over ask, ask over allow. Rules that narrow may be set for the system, a tree or an agent; a rule that widens comes from a
 * person's decision and covers no more than what that person was shown. What is not known is asked. 50 µs a decision at most (`npm run bench`).
 */
import { createHash } from 'node:crypto'
import { graveOf, lineOf, type Risk, riskOf } from '../contract/command-text.ts'
import type { Approval } from '../contract/goal.ts'
import { concernsHost } from '../contract/network.ts'
import type { Declared, Judgement, Offer, PolicyVerdict, Rule, Taint } from '../contract/policy.ts'
import { commandSignature, isOutside, networkOf, type ParsedCommand, parseRun } from './command.ts'
import { POLICY_RULE } from './system-policy.ts'

export type CallFacts = Declared & {
  tool: string
  /** The tool's own word; unknown ones are asked about. */
  permission: string
  effect: string
  /** It only arranges work within the goal. */
  arranges?: boolean
  /** The tool itself wants a person to see it. */
  asks: boolean
  /** Exactly what would happen, as data. */
  action: unknown
  risk: Risk
  /** What the owner's policy makes of it where a tainted task reaches out; absent: a person is asked. */
  tainted?: 'ask' | 'deny'
  treeId: string
  agent: string
  /** What was said with the goal: how much is put before a person. */
  approval?: Approval
  /** `open`: no plan is approved yet; `frozen`: nothing may be added to one without a person. */
  plan?: 'open' | 'frozen' | null
  /** Those of `urls` that nobody showed the task; left out, all of them. */
  unshown?: readonly string[]
}

/** What a call is once its command has been read; read once, judged as often as needed. */
export type Case = CallFacts & {
  command: ParsedCommand | null
  /** It may change something outside the workspace. */
  reaches: boolean
  exact: string
  /** Null: only the exact action can be allowed. */
  pattern: string | null
}

const RANK: Record<PolicyVerdict, number> = { allow: 0, ask: 1, deny: 2 }
const RISKS: readonly Risk[] = ['low', 'medium', 'high']
const riskier = (a: Risk, b: Risk): Risk => RISKS[Math.max(RISKS.indexOf(a), RISKS.indexOf(b))]!
const KNOWN_PERMISSIONS = new Set(['read', 'write', 'exec', 'network', 'self'])
const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url')

export function caseOf(facts: CallFacts): Case {
  const command = facts.run === undefined ? null : parseRun(facts.run, facts.cwd)
  const pattern = command === null ? null : commandSignature(command)
  return {
    ...facts,
    command,
    reaches: reachesOut(facts, command),
    exact: hash([facts.tool, facts.action]),
    pattern:
      pattern === null
        ? null
        : hash([
            ...[facts.tool, pattern, facts.cwd ?? '.', facts.stdin ?? '', facts.isolation ?? ''],
            ...[...(facts.secrets ?? []), ...(facts.network ?? []).map((host) => `network ${host}`)],
            // Only where there is any: rules that people made earlier keep their signatures.
            ...(facts.env === undefined ? [] : [{ env: Object.entries(facts.env).sort() }]),
            ...(facts.background ? [{ background: true }] : []),
          ]),
  }
}

/** Effects that a tainted task needs a person for. A tool that says nothing of itself is taken for the worse. */
function reachesOut(facts: CallFacts, command: ParsedCommand | null): boolean {
  if (facts.idle) return false
  if (facts.external !== undefined) return facts.external
  if (facts.permission === 'self') return true
  // What stands in an address is sent to whoever it belongs to.
  if ((facts.unshown ?? facts.urls ?? []).length > 0) return true
  if (facts.permission === 'network') return facts.effect !== 'read'
  if (facts.paths?.some((one) => one.write && isOutside(one.path))) return true
  if (command !== null) return facts.online !== false && networkOf(command) !== 'none'
  return facts.permission === 'exec' || !KNOWN_PERMISSIONS.has(facts.permission)
}

/** Signatures under which an always-allow of this call could be kept. */
/** A tool allowed at one level of isolation is not allowed at another. */
const toolSignature = (call: Case): string => (call.isolation === undefined ? call.tool : `${call.tool} (${call.isolation})`)
export const signaturesOf = (call: Case): string[] => [call.exact, ...(call.pattern === null ? [] : [call.pattern]), toolSignature(call)]

export function judge(call: Case, taint: readonly Taint[], rules: readonly Rule[], now: number): Judgement {
  const live = rules.filter((rule) => rule.revokedAt === null && (rule.expiresAt === null || Date.parse(rule.expiresAt) > now))
  const narrowing = live.filter((rule) => rule.verdict !== 'allow' && narrows(rule, call))
  const strictest = narrowing.reduce<Rule | null>((most, rule) => (most && RANK[most.verdict] >= RANK[rule.verdict] ? most : rule), null)
  const risk = riskIn(call, taint)
  if (strictest) return { verdict: strictest.verdict, reason: narrowWords(strictest), rule: strictest.id, risk }
  if (call.idle) return { verdict: 'allow', reason: 'its tool refuses it', rule: null, risk }
  const before = beforePlan(call)
  if (before !== null) return { verdict: 'deny', reason: before, rule: null, risk }
  const needsTaintRule = taint.length > 0 && call.reaches && call.by !== 'person'
  const covering = () => live.find((one) => one.verdict === 'allow' && (!needsTaintRule || one.tainted) && covers(one, call))
  if (needsTaintRule && call.tainted === 'deny' && !covering())
    return { verdict: 'deny', reason: `${taintWords(taint, call)}, which the owner's policy denies`, rule: POLICY_RULE, risk }
  if (call.reviewed)
    return {
      verdict: 'ask',
      reason: needsTaintRule ? taintWords(taint, call) : 'a person decides this every time',
      rule: null,
      risk: 'high',
    }
  if (call.approval === 'ask_all' && !call.arranges && changes(call))
    return { verdict: 'ask', reason: 'everything is asked about in this goal', rule: null, risk }
  if (call.by === 'person') return { verdict: 'allow', reason: 'a person typed exactly this in their goal', rule: null, risk }
  const why = needsTaintRule ? taintWords(taint, call) : wantsPerson(call)
  if (why === null) return { verdict: 'allow', reason: 'it stays within the workspace and the system', rule: null, risk }
  if (call.approval === 'run_free' && !needsTaintRule && keptIn(call))
    return { verdict: 'allow', reason: 'this goal runs free in the sandbox', rule: null, risk }
  const rule = covering()
  if (rule) return { verdict: 'allow', reason: `always allowed: ${rule.label}`, rule: rule.id, risk }
  return { verdict: 'ask', reason: why, rule: null, risk }
}

/** Why it may not run before a person has approved the plan; null: it may. */
function beforePlan(call: Case): string | null {
  if (call.plan !== 'open' || call.arranges || (call.permission === 'read' && call.effect === 'read')) return null
  return 'nothing may be done before a person has approved the plan of this goal; read, propose the plan and wait'
}
const changes = (call: Case): boolean => call.effect !== 'read' || (call.permission !== 'read' && call.permission !== 'write')
/** A command in a sandbox that has no network, is given no key, and names nothing outside its workspace. */
function keptIn({ run, isolation, online, secrets = [], network = [], external, command, paths = [], adds = 0 }: Case): boolean {
  if (run === undefined || isolation !== 'sandbox' || online !== false || secrets.length + network.length > 0 || external || adds > 0)
    return false
  if (paths.some((one) => isOutside(one.path))) return false
  return command !== null && command.outside.length === 0 && !command.redirectsOut
}

/** Why a person is asked where no rule says anything; null: nobody is. */
function wantsPerson(call: Case): string | null {
  if (call.permission === 'exec' && call.run !== undefined) {
    const { dynamic = null, dangers = [], outside = [] } = call.command ?? {}
    const line = 'argv' in call.run ? lineOf(call.run.argv) : call.run.shell
    const grave = graveOf(line)
    const more =
      [
        grave === null ? null : `look twice at "${grave.slice(0, 100)}"`,
        dynamic ?? dangers[0] ?? (outside.length > 0 ? `it names ${outside[0]!.slice(0, 100)}, outside the workspace` : null),
      ]
        .filter((part) => part !== null)
        .join('; ') || null
    const reaches = call.network?.length ? ` that reaches ${call.network.join(', ')}` : ''
    return `an agent thought of this command${reaches}${more ? `; ${more}` : ''}`
  }
  const away = call.paths?.find((one) => isOutside(one.path))
  if (away) return `it ${away.write ? 'writes' : 'reads'} ${away.path.slice(0, 200)}, outside the workspace`
  if ((call.costMicros ?? 0) > 0) return `it costs $${(call.costMicros! / 1_000_000).toFixed(2)}`
  if (call.plan === 'frozen' && (call.adds ?? 0) > 0)
    return `it would add ${call.adds === 1 ? 'a task' : `${call.adds} tasks`} to the plan that a person approved`
  if (call.asks) return `${call.tool} asks a person before it does this`
  if (!KNOWN_PERMISSIONS.has(call.permission)) return `nothing is known of what "${call.permission}" may do`
  return null
}

const TAINT_WORDS: Record<Taint, string> = { web: 'the web', files: 'files outside its workspace', agents: 'agents of other trees' }
const taintWords = (taint: readonly Taint[], { unshown = [] }: Case): string =>
  `the task has read text from ${taint.map((one) => TAINT_WORDS[one]).join(' and ')}, and ${
    unshown.length > 0
      ? 'this asks for an address that no search, page or person showed it, which could carry out what it knows'
      : 'this reaches out of its workspace'
  }`
const levelOf = (rule: Rule): string =>
  rule.agent !== null ? `the agent ${rule.agent}` : rule.treeId !== null ? 'this tree' : 'the system'
const narrowWords = (rule: Rule): string =>
  `a rule for ${levelOf(rule)} ${rule.verdict === 'deny' ? 'denies' : 'asks a person about'} the ${rule.scope} ${rule.signature}`

/** Why a rule keeps a call from a host that it is led to on the way, such as by a redirect; null: none does. */
export function hostRefusal(host: string, at: Pick<Case, 'treeId' | 'agent'>, rules: readonly Rule[], now: number): string | null {
  const rule = rules.find(
    (one) =>
      one.verdict !== 'allow' &&
      one.scope === 'host' &&
      one.revokedAt === null &&
      (one.expiresAt === null || Date.parse(one.expiresAt) > now) &&
      isFor(one, at) &&
      concernsHost(host, one.signature),
  )
  return rule ? narrowWords(rule) : null
}

const isFor = (rule: Rule, { treeId, agent }: Pick<Case, 'treeId' | 'agent'>): boolean =>
  (rule.treeId === null || rule.treeId === treeId) && (rule.agent === null || rule.agent === agent)

function narrows(rule: Rule, call: Case): boolean {
  if (!isFor(rule, call)) return false
  switch (rule.scope) {
    case 'tool':
      return rule.signature === '*' || rule.signature === call.tool
    case 'permission':
      // A permission is about effects; ending a task or starting a part of it is none.
      // A command that only looks is still a command.
      return (rule.signature === call.permission || (rule.signature === 'exec' && call.command !== null)) && !call.arranges
    case 'program':
      return call.command?.names.includes(rule.signature) ?? false
    case 'host':
      return call.hosts?.some((host) => concernsHost(host, rule.signature)) ?? false
    default:
      return rule.signature === call.exact || rule.signature === call.pattern
  }
}

/**
 * An allow rule never covers a line with a substitution or a redirection out of the workspace, nor a program that it does not name: an exact
 * or command rule names every one; a rule for a tool in a tree covers plain lines only, without programs that run others or reach a network.
 */
function covers(rule: Rule, call: Case): boolean {
  if (call.reviewed || !isFor(rule, call)) return false
  const { command } = call
  if (command !== null && (command.dynamic !== null || command.redirectsOut)) return false
  switch (rule.scope) {
    case 'exact':
      return rule.signature === call.exact
    case 'command':
      return call.pattern !== null && rule.signature === call.pattern
    case 'tool-in-tree':
      return rule.treeId === call.treeId && rule.signature === toolSignature(call) && plain(call)
    default:
      return false
  }
}
/** Nothing in it goes beyond what the tool is for. */
function plain({ command, paths, external, env, unshown = [] }: Case): boolean {
  // What a variable does is known to the program alone.
  if (external || env !== undefined || unshown.length > 0 || paths?.some((one) => isOutside(one.path))) return false
  return command === null || (command.dangers.length === 0 && command.outside.length === 0 && networkOf(command) !== 'names it')
}

/** The always-allows that an approval of this call could become. None covers more than its label says. */
export function offersOf(call: Case): Offer[] {
  const { command } = call
  if (call.reviewed || (command !== null && (command.dynamic !== null || command.redirectsOut))) return []
  const offers: Offer[] = [{ scope: 'exact', signature: call.exact, label: `exactly this: ${shown(call)}` }]
  if (command !== null && call.pattern !== null) {
    const where = `${(call.cwd ?? '.') === '.' ? '' : ` in ${call.cwd}`}${networkIn(call)}`
    offers.push({ scope: 'command', signature: call.pattern, label: `${commandSignature(command)!.slice(0, 300)}${where}` })
  }
  if (plain(call))
    offers.push({
      scope: 'tool-in-tree',
      signature: toolSignature(call),
      label: `${toolSignature(call)} in this goal, as long as it stays plain`,
    })
  return offers
}
function shown(call: Case): string {
  const line = call.run === undefined ? null : 'argv' in call.run ? lineOf(call.run.argv) : call.run.shell
  const text = line ?? `${call.tool} ${JSON.stringify(call.action)}`
  return `${text.length > 300 ? `${text.slice(0, 299)}…` : text}${networkIn(call)}`
}
const networkIn = ({ network = [] }: Case): string => (network.length === 0 ? '' : `, with the network of ${network.join(', ')}`)

/** What a person should look at twice. Grows with what is read, never shrinks below the tool's own word. */
function riskIn(call: Case, taint: readonly Taint[]): Risk {
  const { command } = call
  const line = call.run === undefined ? null : 'argv' in call.run ? lineOf(call.run.argv) : call.run.shell
  let risk = line === null ? call.risk : riskier(call.risk, riskOf(line))
  if (command !== null && (command.dangers.length > 0 || command.dynamic !== null || command.outside.length > 0))
    risk = riskier(risk, 'medium')
  if (command?.redirectsOut || (taint.length > 0 && call.reaches)) risk = 'high'
  return risk
}
