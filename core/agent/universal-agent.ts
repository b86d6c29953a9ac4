/**
 * The one agent class. It takes a claimed task turn by turn until the task ends, parks or is taken away. Everything it knows of agent and
 * task is in the database, and everything it does is a row before it happens, so the process may die between any two lines.
 */
import { isDeepStrictEqual } from 'node:util'
import type { SystemPolicy } from '../contract/api-settings.ts'
import { Fault } from '../contract/fault.ts'
import type { Habits } from '../contract/learning.ts'
import { joinTaint, type Rule, type Taint } from '../contract/policy.ts'
import type { Agent, Versioned } from '../contract/registry.ts'
import type { Usage } from '../contract/task.ts'
import { type Choice, FALLBACK_AFTER, type Models, retryDelayMs } from '../models/choose.ts'
import { planned } from '../models/planned.ts'
import { estimateMicros, priceOf } from '../models/prices.ts'
import { drain, type ModelFault, type ModelRequest, type Provider, type Reply } from '../models/provider.ts'
import { caseOf, judge, offersOf, signaturesOf } from '../policy/policy.ts'
import { notShown, type Shown } from '../policy/shown.ts'
import { rulesOf } from '../policy/system-policy.ts'
import { ClaimLost, type EndedCall, type Lease, type SavedCall } from '../tasks/turns.ts'
import type { Call, Capabilities, Effect, Outcome, Tool } from '../tool.ts'
import { type CapabilityParts, capabilitiesFor, Held, type TouchedByCall } from './capabilities.ts'
import { type Conversation, clearing, FILL, openConversation, SUMMARISE, summarising, summaryMessage } from './context.ts'
import { definitionOf } from './definition.ts'
import type { Prompt } from './prompt.ts'
import { targetOf } from './target.ts'

export type AgentParts = CapabilityParts & {
  models: Models
  tools: ReadonlyMap<string, Tool>
  /** Words as they stream in; nobody may be listening. */
  onDelta?: (taskId: string, text: string) => void
  random?: () => number
  /** The owner's policy, as it is now. */
  policy(): Promise<{ policy: Pick<SystemPolicy, 'permissions' | 'tools' | 'tainted'> }>
  /** True once the process is to stop: turns under way end, no new one begins. */
  draining(): boolean
}

type Definition = {
  agent: Versioned<Agent>
  prompt: Prompt
  tools: ReadonlyMap<string, Tool>
  specs: ModelRequest['tools']
  habits: ReadonlyMap<string, Habits>
  specTokens: number
  promptTokens: number
  /** Where its documents come from, when no person or seed answers for them. */
  marks: readonly Taint[]
  stamp: string
  /** The one call that a person typed, where the task is a test run of it. */
  typed: { tool: string; input: unknown } | null
}
/** What narrows: rules, and what becomes of effects of tainted tasks. */
type Narrowing = { rules: readonly Rule[]; tainted: 'ask' | 'deny' }
type Work = { lease: Lease; definition: Definition; conversation: Conversation; signal: AbortSignal }

/** Characters of one tool answer that go into the history; the rest is named as cut. */
const ANSWER_CAP = 60_000
/** Provider faults in a row after which a person is asked instead of waiting longer. With the backoff this is more than half an hour. */
const MAX_FAULTS = 12
/** Times in a row that a context is made smaller without a turn in between, before a person is asked. */
const MAX_COMPACTIONS = 2
/** Share of the room that the newest messages may fill after a summary; the rest is for what comes. */
const KEEP = 0.6

export class UniversalAgent {
  readonly #parts: AgentParts
  readonly #definitions = new Map<string, Definition>()

  constructor(parts: AgentParts) {
    this.#parts = parts
  }

  /** Works on a claimed task as long as it may. Resolves when the claim is over; a lost claim is no error. */
  async work(lease: Lease, signal: AbortSignal): Promise<void> {
    const { turns } = this.#parts.tasks
    try {
      const definition = await this.#define(lease)
      if (!definition)
        return await turns.fail(lease, { reason: 'error', note: `there is no agent "${lease.task.agent}", or it is switched off` })
      const work: Work = { lease, definition, conversation: openConversation(), signal }
      let calls = await turns.openCalls(lease.taskId)
      let compactions = 0
      let { grants } = lease
      for (;;) {
        // A tool that it made itself: known to the model from the next turn on, and to the calls of that turn.
        if (lease.grants !== grants) {
          work.definition = (await this.#define(lease)) ?? work.definition
          grants = lease.grants
        }
        const ran = calls.length > 0 ? await this.#runCalls(work, calls) : 'again'
        if (ran === 'gone') return
        if (signal.aborted || this.#parts.draining()) return await turns.release(lease)
        if (ran === 'calls') {
          calls = await turns.openCalls(lease.taskId)
          continue
        }
        await this.#catchUp(work)
        const next = await this.#turn(work, compactions)
        if (next === 'gone') return
        compactions = next === 'smaller' ? compactions + 1 : 0
        calls = next === 'smaller' ? [] : next
      }
    } catch (error) {
      if (error instanceof ClaimLost) return // what is left to do is done elsewhere
      if (error instanceof Held) return // the tree was paused under a call; it runs when the tree goes on
      throw error
    }
  }

  /** Reads what was added since: steering, answers of subtasks, its own last turn. */
  async #catchUp(work: Work): Promise<void> {
    for (;;) {
      const more = await this.#parts.tasks.messages(work.lease.taskId, work.conversation.last())
      work.conversation.add(more)
      if (more.length < 1_000) return
    }
  }

  /** One model call and what follows from it. Returns the calls of its reply. */
  async #turn(work: Work, compactions: number): Promise<'gone' | 'smaller' | SavedCall[]> {
    const { turns } = this.#parts.tasks
    const { lease, definition } = work
    const { agent, prompt } = definition
    const target = await this.#allowed(lease, agent)
    if (target === 'gone') return 'gone'
    const { provider, model } = target
    const asked = work.conversation.request()
    const driver = drivenBy(lease, provider)
    const request = {
      model,
      system: prompt.text,
      messages: asked.messages,
      tools: definition.specs,
      maxOutputTokens: agent.max_output_tokens,
      task: { ...pick(lease), stopping: false },
    }
    if (driver.outside && (driver.outside.asks?.(request) ?? true) && (await turns.parkOutside(lease, driver.outside.capability(model))))
      return 'gone'
    const input = asked.tokens + definition.promptTokens + definition.specTokens
    const room = Math.floor((provider.contextWindow(model) - agent.max_output_tokens) * FILL)
    if (input > room) return this.#makeSmaller(work, target, compactions, room - definition.promptTokens - definition.specTokens)
    const logged = work.conversation.promptHash() === prompt.hash
    this.#fail('agent.before-begin')
    const started = await turns.begin(lease, {
      provider: provider.name,
      model,
      tokens: input + agent.max_output_tokens,
      costMicros: estimateMicros(provider.name, model, input, agent.max_output_tokens) ?? 0,
      ...(driver.outside ? { told: true } : {}),
      maxTurns: agent.max_turns,
      ...(logged
        ? {}
        : {
            prompt: {
              hash: prompt.hash,
              body: prompt.text,
              message: {
                role: 'system',
                promptHash: prompt.hash,
                agent: agent.name,
                agentVersion: agent.version,
                documents: prompt.documents,
                tools: prompt.tools,
              } as const,
            },
          }),
    })
    if (started.kind === 'gone') return 'gone'
    // What was added while asking (a prompt apart, which the model does not see as a message) is read before the call.
    const fresh = started.messages > work.conversation.last() + (logged ? 0 : 1)
    if (fresh) await this.#catchUp(work)
    this.#fail('agent.before-model')
    const { end, latencyMs } = await this.#call(work, driver, {
      ...request,
      ...(fresh ? { messages: work.conversation.request().messages } : {}),
      task: { ...request.task, stopping: started.stopping },
    })
    this.#fail('agent.after-model')
    if ('kind' in end) return this.#faulted(work, target, started.call, end, latencyMs, compactions)
    const costMicros = end.reportedCostMicros ?? (end.usage ? priceOf(provider.name, end.model, end.usage) : null)
    lease.faults = 0
    const saved = await turns.reply(lease, started.call, {
      text: end.text,
      calls: answersInWords(lease, end) ? [{ tool: 'end_task', input: { status: 'success', result: end.text } }] : end.calls,
      ...(end.outside === undefined ? {} : { outside: end.outside }),
      ...(end.thinking === undefined ? {} : { thinking: end.thinking }),
      provider: provider.name,
      model: end.model,
      usage: end.usage,
      costMicros,
      latencyMs,
    })
    lease.alone = false
    this.#fail('agent.after-reply')
    return saved.end === 'gone' ? 'gone' : saved.calls
  }

  /** The model to call now: the one that is due, or the other one where that takes no calls. Where neither does, the task waits. */
  async #allowed(lease: Lease, agent: Agent): Promise<Choice | 'gone'> {
    const { tasks, models, now } = this.#parts
    const choice = targetOf(models, lease.goal.model, agent.model)
    const { fallback, ...first } = choice
    const both: Choice[] = fallback ? [choice, { ...fallback, fallback: first }] : [choice]
    let wait: { until: number; park: () => Promise<void> } | undefined
    for (const target of lease.faults >= FALLBACK_AFTER ? both.toReversed() : both) {
      const { name, account } = target.provider
      const pass = account === undefined ? { kind: 'go' as const } : await tasks.holds.pass(name, account, lease.taskId, now())
      if (pass.kind === 'held') {
        const { hold } = pass
        if (!wait || hold.until < wait.until) wait = { until: hold.until, park: () => tasks.turns.park(lease, hold) }
        continue
      }
      const may = models.breakerOf(target.provider).mayCall()
      if (may.ok) {
        lease.tries = pass.kind === 'try'
        return target
      }
      const { retryAt } = may
      const words = `${name} failed several times in a row; the next try is made then`
      if (!wait || retryAt < wait.until) wait = { until: retryAt, park: () => tasks.turns.postpone(lease, retryAt, words) }
    }
    await wait!.park()
    return 'gone'
  }

  async #call(work: Work, provider: Provider, request: ModelRequest): Promise<{ end: Reply | ModelFault; latencyMs: number }> {
    const { onDelta } = this.#parts
    const begun = performance.now()
    const end = await drain(provider.stream(request, work.signal), (event) => {
      if (event.type === 'text') onDelta?.(work.lease.taskId, event.delta)
    })
    const breaker = this.#parts.models.breakerOf(provider)
    if ('kind' in end) {
      if (!work.signal.aborted) breaker.failed(end)
    } else {
      breaker.succeeded()
      if (work.lease.tries) await this.#parts.tasks.holds.passed(provider.name, work.lease.taskId)
      work.lease.tries = false
    }
    return { end, latencyMs: performance.now() - begun }
  }

  async #faulted(
    work: Work,
    { provider, model, fallback }: Choice,
    call: number,
    fault: ModelFault,
    latencyMs: number,
    compactions: number,
  ): Promise<'gone' | 'smaller'> {
    const { turns } = this.#parts.tasks
    const { lease } = work
    const usage: Usage | null = fault.usage ?? null
    const told = {
      provider: provider.name,
      model,
      kind: fault.kind,
      message: fault.message,
      usage,
      // A call that the provider refused cost nothing; one that was cut off may have, and counts as unpriced.
      costMicros: usage ? priceOf(provider.name, model, usage) : fault.kind === 'later' && latencyMs > 5_000 ? null : 0,
      latencyMs,
    }
    const now = this.#parts.now()
    if (work.signal.aborted) {
      await turns.fault(lease, call, { ...told, message: 'stopped' }, now)
      return 'gone'
    }
    if (fault.limit !== undefined && provider.account !== undefined) {
      const until = fault.retryAfterMs === undefined ? null : now + fault.retryAfterMs
      const limit = { provider: provider.name, account: provider.account, kind: fault.limit, why: fault.message, until }
      return await turns
        .limited(lease, call, { ...told, costMicros: usage ? told.costMicros : 0 }, limit, fallback !== undefined)
        .then(() => 'gone')
    }
    if (fault.kind === 'overflow') {
      const smaller = compactions < MAX_COMPACTIONS ? clearing(work.conversation.history) : null
      // The estimate was too low for this model: make it smaller at once, whatever the estimate says.
      await turns.fault(lease, call, told, smaller ? now : null)
      return 'gone'
    }
    const retry = fault.kind === 'later' && lease.faults + 1 < MAX_FAULTS
    const delay = retryDelayMs(lease.faults, fault, (this.#parts.random ?? Math.random)())
    await turns.fault(lease, call, told, retry ? now + delay : null)
    return 'gone'
  }

  /** Clears old tool results, then summarises; if nothing helps, a person is asked. */
  async #makeSmaller(work: Work, target: Choice, compactions: number, room: number): Promise<'gone' | 'smaller'> {
    const { turns } = this.#parts.tasks
    const { lease, definition } = work
    const { provider, model } = target
    const clear = clearing(work.conversation.history)
    if (clear) {
      await turns.note(lease, clear)
      return 'smaller'
    }
    const old = compactions < MAX_COMPACTIONS + 1 ? summarising(work.conversation.history, room * KEEP) : null
    const started = await turns.begin(lease, {
      provider: provider.name,
      model,
      tokens: (old?.dropped.tokens ?? 0) + definition.agent.max_output_tokens,
      costMicros: old ? (estimateMicros(provider.name, model, old.dropped.tokens, definition.agent.max_output_tokens) ?? 0) : 0,
      maxTurns: definition.agent.max_turns,
    })
    if (started.kind === 'gone') return 'gone'
    if (!old) {
      const message = `The newest messages alone are larger than ${model} takes (${provider.contextWindow(model)} tokens).`
      await turns.fault(
        lease,
        started.call,
        { provider: provider.name, model, kind: 'overflow', message, usage: null, costMicros: 0, latencyMs: 0 },
        null,
      )
      return 'gone'
    }
    const request: ModelRequest = {
      model,
      system: SUMMARISE,
      messages: [{ role: 'user', text: old.text }],
      tools: [],
      maxOutputTokens: definition.agent.max_output_tokens,
      task: { ...pick(lease), stopping: false },
    }
    const { end, latencyMs } = await this.#call(work, provider, request)
    if ('kind' in end) return this.#faulted(work, target, started.call, end, latencyMs, compactions)
    const costMicros = end.reportedCostMicros ?? (end.usage ? priceOf(provider.name, end.model, end.usage) : null)
    await turns.compacted(
      lease,
      started.call,
      { provider: provider.name, model: end.model, usage: end.usage, costMicros, latencyMs },
      { role: 'compaction', how: 'summarised', upTo: old.upTo, text: summaryMessage(end.text), dropped: old.dropped },
    )
    return 'smaller'
  }

  /**
   * Runs calls that have no answer yet, in their order: neighbours that only read side by side, the others one after another, each answer
   * written down before the next effect begins.
   */
  async #runCalls(work: Work, calls: readonly SavedCall[]): Promise<'again' | 'calls' | 'gone'> {
    const { turns } = this.#parts.tasks
    const ended: EndedCall[] = []
    const due = calls.filter((call) => call.waits === null).map((call) => this.#prepare(work, call))
    const narrowing = due.length > 0 ? await this.#narrowing() : { rules: [], tainted: 'ask' as const }
    for (const [i, d] of due.entries()) {
      if (d.effect === 'read') {
        if (due[i - 1]?.effect === 'read') continue // ran with the one before it
        const side = due.slice(i, i + runOfReads(due, i))
        const answers = await Promise.all(
          side.map(async (read) => {
            const said = await this.#asks(work, read, narrowing)
            return said === 'run' ? this.#ended(read.call, await this.#run(read, 1)) : said === 'asked' ? null : said
          }),
        )
        ended.push(...answers.filter((answer) => answer !== null))
        continue
      }
      if (work.signal.aborted) break
      const said = await this.#asks(work, d, narrowing, taintIn(ended))
      if (said === 'asked') continue
      if (said !== 'run') {
        ended.push(said)
        continue
      }
      if (ended.length > 0) {
        this.#fail('call.before-answer')
        await turns.answer(work.lease, ended.splice(0))
      }
      let attempt = d.call.attempts + 1
      if (d.effect !== 'keyed') {
        this.#fail('call.before-begin')
        attempt = await turns.beginCall(work.lease, d.call.id, d.call.tool, d.effect)
      }
      this.#fail('call.before-effect')
      const outcome = await this.#run(d, attempt)
      this.#fail('call.after-effect')
      if (outcome.kind === 'ended') return 'gone'
      // A call that was cut off by a stop has no answer: what it did is unknown, and its row says that it had begun.
      if (work.signal.aborted && d.effect === 'once') return 'gone'
      const end = this.#ended(d.call, outcome)
      if (end) ended.push(end)
    }
    if (work.signal.aborted && ended.length === 0) {
      await turns.release(work.lease)
      return 'gone'
    }
    this.#fail('turn.before-finish')
    const next = await turns.finish(work.lease, ended)
    this.#fail('turn.after-finish')
    return next
  }

  #prepare(work: Work, call: SavedCall): Prepared {
    const tool = work.definition.tools.get(call.tool)
    const context: Call = { id: call.id, task: work.lease.task, signal: work.signal, attempt: call.attempts + 1 }
    const judges = targetOf(this.#parts.models, work.lease.goal.model, work.definition.agent.model).provider.judges
    const touched: TouchedByCall = { files: new Set(), folders: new Set() }
    const habits = work.definition.habits.get(call.tool) ?? null
    const all = capabilitiesFor(this.#parts, { lease: work.lease, callId: call.id, signal: work.signal, judges, touched, habits })
    return {
      call,
      tool,
      context,
      all,
      touched,
      marks: work.definition.marks,
      effect: tool ? tool.effect(call.input, context, all) : 'read',
      known: [...work.definition.tools.keys()],
    }
  }

  /** The owner's policy and the rules of people, as they are now. */
  async #narrowing(): Promise<Narrowing> {
    const [rules, { policy }] = await Promise.all([this.#parts.tasks.rules.narrowing(), this.#parts.policy()])
    return { rules: [...rulesOf(policy), ...rules], tainted: policy.tainted }
  }

  /**
   * Whether a call may run now. `asked`: a person must decide first, because the policy says so or because a crash left it unknown whether the
   * effect happened. An answer: it is denied, and no approval changes that. `fresh`: taint of answers that are not written down yet.
   */
  async #asks(
    work: Work,
    prepared: Prepared,
    { rules: narrowing, tainted }: Narrowing,
    fresh: readonly Taint[] = [],
  ): Promise<'run' | 'asked' | EndedCall> {
    const { call, tool, context, all, effect } = prepared
    if (!tool) return 'run'
    const { turns, rules } = this.#parts.tasks
    if (!call.approved && call.state === 'begun' && effect === 'once') {
      this.#fail('call.before-doubt')
      await turns.askPerson(work.lease, call.id, {
        kind: 'in_doubt',
        title: `Cut off while it ran: ${call.tool} in "${work.lease.task.title}"`,
        action: {
          tool: call.tool,
          input: call.input,
          decision: 'approve runs it again; reject goes on without; answer says what really happened',
        },
        risk: 'high',
      })
      return 'asked'
    }
    const { typed } = work.definition
    const isTyped = typed !== null && typed.tool === call.tool && isDeepStrictEqual(typed.input, call.input)
    const permission = tool.permit(call.input, context, all)
    const title = permission === 'allow' ? `${call.tool} in "${work.lease.task.title}"` : permission.ask.title
    const action = permission === 'allow' ? { tool: call.tool, input: call.input } : permission.ask.action
    const facts = tool.facts(call.input, context, all)
    const declared = {
      ...facts,
      ...(isTyped ? { by: 'person' as const } : {}),
      tainted,
      tool: tool.name,
      permission: facts.permission ?? tool.permission,
      arranges: tool.arranges ?? false,
      effect,
      asks: permission !== 'allow',
      action,
      risk: permission === 'allow' ? 'medium' : permission.ask.risk,
      treeId: work.lease.treeId,
      agent: work.lease.task.agent,
      approval: work.lease.goal.approval,
      plan: work.lease.goal.plan,
    }
    let asked = caseOf(declared)
    const now = this.#parts.now()
    let said = judge(asked, [], narrowing, now)
    let taint: Taint[] = []
    // Most calls end here: nothing they do could need more than what is at hand.
    if (said.verdict === 'ask' || asked.reaches) {
      const [marks, allowing] = await Promise.all([rules.taintOf(work.lease.taskId), rules.allowing(signaturesOf(asked))])
      // A command that reaches out may send what it finds: what it would read counts before it runs.
      const found =
        tool.permission === 'exec' && asked.reaches
          ? await this.#taintOf({ context, touched: { files: new Set(), folders: new Set([context.task.workspace]) } })
          : []
      taint = joinTaint(marks, fresh, work.definition.marks, found)
      if (taint.length > 0 && asked.urls) asked = caseOf({ ...declared, unshown: notShown(asked.urls, await this.#shownTo(work.lease)) })
      said = judge(asked, taint, [...narrowing, ...allowing], now)
    }
    if (said.verdict === 'deny') {
      await turns.judged(work.lease, call.id, said)
      return { id: call.id, isError: true, text: `Not done: ${said.reason}. Do not try the same again; go on without it or end the task.` }
    }
    if (call.approved) {
      const shown = ((await this.#parts.tasks.approval(call.id))?.action as { isolation?: string } | null)?.isolation ?? asked.isolation
      // A call that its tool refuses by now runs nothing, wherever it is.
      if (shown === asked.isolation || asked.idle) return 'run'
      const text = `Not done: a person allowed it to run at the isolation "${shown}", and this machine now has "${asked.isolation}". Ask again if it is still needed.`
      return { id: call.id, isError: true, text }
    }
    if (said.verdict === 'allow' && (said.rule === null || (await turns.judged(work.lease, call.id, said)))) return 'run'
    if (said.verdict === 'allow') said = judge(asked, taint, narrowing, now) // the rule was taken back a moment ago
    const preview = await this.#preview(prepared)
    if (preview && 'problem' in preview) return { id: call.id, isError: true, text: this.#parts.secrets.redact(preview.problem) }
    this.#fail('call.before-ask')
    await turns.askPerson(work.lease, call.id, {
      kind: 'permission',
      title: this.#parts.secrets.redact(title),
      action: this.#parts.secrets.redactAll(preview ? preview.action : action),
      risk: said.risk,
      rule: said.rule,
      policy: {
        reason: this.#parts.secrets.redact(said.reason),
        signature: asked.pattern ?? asked.exact,
        taint,
        // Where a rule of a person asks, another one would change nothing.
        offers:
          said.rule !== null || work.lease.goal.approval === 'ask_all'
            ? []
            : offersOf(asked).map((offer) => ({ ...offer, label: this.#parts.secrets.redact(offer.label) })),
      },
    })
    return 'asked'
  }

  /** What a person is shown beyond the arguments; a problem: it could not be done, so nobody is asked. */
  async #preview({ tool, call, context, all }: Prepared): Promise<{ action: unknown } | { problem: string } | null> {
    try {
      const action = await tool?.preview?.(call.input, context, all)
      return action === undefined ? null : { action }
    } catch (error) {
      if (error instanceof Fault) return { problem: error.message }
      throw error
    }
  }

  /** Addresses that somebody else than a model gave to the tree, and the words of people in it. */
  async #shownTo({ treeId }: Lease): Promise<Shown> {
    const [addresses, words] = await Promise.all([this.#parts.web.shown(treeId), this.#parts.tasks.wordsOfPeople(treeId)])
    return { addresses, words }
  }

  async #run(prepared: Prepared, attempt: number): Promise<Outcome> {
    const outcome = await this.#act(prepared, attempt)
    if (outcome.kind !== 'answer') return outcome
    // Looked up after the reading, so that whoever wrote meanwhile is seen too.
    const taint = joinTaint(outcome.taint ?? [], prepared.marks, await this.#taintOf(prepared))
    return taint.length > 0 ? { ...outcome, taint } : outcome
  }

  /** Where the words come from that the call has read in files, whatever its tool says. */
  async #taintOf({ touched, context }: Pick<Prepared, 'touched' | 'context'>): Promise<Taint[]> {
    const { tasks, history } = this.#parts
    const { treeId } = context.task
    if (touched.files.size === 0 && touched.folders.size === 0) return []
    return tasks.taintOfFiles(treeId, touched, history.underWay(treeId))
  }

  async #act({ tool, call, context, all, known }: Prepared, attempt: number): Promise<Outcome> {
    if (!tool) return { kind: 'answer', isError: true, text: `There is no tool "${call.tool}" for you. Your tools: ${known.join(', ')}.` }
    try {
      return await tool.call(call.input, { ...context, attempt }, all)
    } catch (error) {
      if (error instanceof Fault && !(error instanceof ClaimLost)) return { kind: 'answer', isError: true, text: error.message }
      throw error
    }
  }

  /** The answer as it is kept and shown: without secrets, and no longer than it may be. */
  #ended(call: SavedCall, outcome: Outcome): EndedCall | null {
    if (outcome.kind !== 'answer') return null
    const text = this.#parts.secrets.redact(outcome.text)
    const capped =
      text.length > ANSWER_CAP ? `${text.slice(0, ANSWER_CAP)}\n… (${text.length - ANSWER_CAP} more characters were cut)` : text
    return { id: call.id, text: capped, isError: outcome.isError ?? false, ...(outcome.taint ? { taint: outcome.taint } : {}) }
  }

  /** Agent, documents and tools of a task, from rows; kept until any entry of the registry changes. */
  async #define(lease: Lease): Promise<Definition | undefined> {
    const { registry } = this.#parts
    const stamp = await registry.stamp()
    const { documents: extraDocuments = [], tools: extraTools = [], trial: trialId, judging = false } = lease.grants
    const key = `${trialId ?? ''}|${judging}|${lease.task.agent}|${extraDocuments.join()}|${extraTools.join()}`
    const kept = this.#definitions.get(key)
    if (kept?.stamp === stamp) return kept
    const found = await definitionOf(this.#parts, lease.task.agent, lease.grants)
    if (!found) return undefined
    const { agent, trial, prompt, tools, specs, habits, authors, specTokens, promptTokens } = found
    const written = await Promise.all(authors.map((author) => registry.isAgent(author)))
    const marks: Taint[] = written.includes(true) ? ['agents'] : []
    const definition: Definition = {
      ...{ agent, prompt, tools, specs, habits, specTokens, promptTokens, marks, stamp },
      typed: trial?.call ?? null,
    }
    if (this.#definitions.size >= 500) this.#definitions.clear()
    this.#definitions.set(key, definition)
    return definition
  }

  #fail(name: string): void {
    this.#parts.failPoint?.(name)
  }
}

type Prepared = {
  call: SavedCall
  tool: Tool | undefined
  context: Call
  all: Capabilities
  /** Where words of its prompt come from. */
  marks: readonly Taint[]
  /** Filled while the call runs. */
  touched: TouchedByCall
  effect: Effect
  known: string[]
}

/** A task with a plan takes the turns that the plan decides without its model. */
function drivenBy(lease: Lease, provider: Provider): Provider {
  const root = lease.taskId === lease.treeId && lease.goal.plan !== null
  return root || lease.plan !== null ? planned(provider, lease.plan, root) : provider
}

const runOfReads = (due: readonly Prepared[], from: number): number => {
  const end = due.findIndex((d, i) => i > from && d.effect !== 'read')
  return (end < 0 ? due.length : end) - from
}

const taintIn = (ended: readonly EndedCall[]): Taint[] => joinTaint(...ended.map((end) => end.taint ?? []))

/** Who is spoken to answers as people do: words without a call end an ask, and are read as they come. */
const answersInWords = ({ goal, task }: Lease, { calls, stop, text }: Reply): boolean =>
  goal.ask && task.parentId === null && calls.length === 0 && stop === 'end' && text.trim() !== ''
const pick = ({ task: { id, treeId, agent, kind, instruction, origin }, goal: { ask } }: Lease) => ({
  ...{ id, treeId, agent, kind, instruction, origin },
  ...(ask ? { ask } : {}),
})
