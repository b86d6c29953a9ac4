/** What a tool is, and what a tool may be given. `tools/*` import this and `core/contract`, nothing else of core. */
import type { FileHandle } from 'node:fs/promises'
import * as z from 'zod'
import type { Change } from './contract/change.ts'
import { Fault } from './contract/fault.ts'
import type { Habits } from './contract/learning.ts'
import type { Draft } from './contract/made-tool.ts'
import type { PlanItem } from './contract/plan.ts'
import type { Declared, Taint } from './contract/policy.ts'
import type { QueryResult } from './contract/readable.ts'
import type { Agent, Document, EntryOf, RegistryKind, ToolEntry, Versioned } from './contract/registry.ts'
import type { ReviewKind } from './contract/review.ts'
import type { Evidence, Task, Verdict } from './contract/task.ts'
import type { Command, CommandResult, Isolation } from './exec/exec.ts'
import type { JobNews, JobWait, LiveJob } from './exec/jobs.ts'
import type { TaskGit } from './git/shapes.ts'
import type { Resolution } from './tasks/stuck.ts'
import type { Found, Page } from './web/web.ts'

/**
 * read: changes nothing; several run side by side. idempotent: doing it again gives the same. keyed: its own store transaction makes it
 * happen once. once: after a crash it is never repeated silently; a person is asked.
 */
export type Effect = 'read' | 'idempotent' | 'keyed' | 'once'

export type SubtaskSpec = {
  instruction: string
  agent: string
  title?: string | undefined
  priority?: number | undefined
  /** Positions (from 0) of other subtasks of the same call that must succeed first. */
  after?: number[] | undefined
  /** `own`: a folder inside the parent's; `shared`: the parent's folder itself. */
  workspace?: 'own' | 'shared' | undefined
  deadlineSeconds?: number | undefined
  /** Names of tools that were granted to this task and that the subtask gets too. */
  tools?: string[] | undefined
  /** What counts as done. */
  criteria?: string[] | undefined
}

/** Everything a tool can be handed. A tool names in `needs` what it uses and gets only that. */
export type Capabilities = {
  subtasks: {
    /** Starts children of this call. `wait`: their summaries come as this call's answer. `handover`: the task ends as its only child does. */
    start(specs: SubtaskSpec[], how: { wait: boolean; handover?: boolean }): Promise<{ ids: string[] }>
    /** Starts the system's helper of that kind for this task; its summary comes as this call's answer. */
    help(kind: 'breakdown' | 'context' | 'tools', request: string): Promise<void>
    /** Parks this call until the named children (or all that still run) have ended. Answers at once when none runs. */
    await(ids?: string[]): Promise<{ waiting: string[]; over: { id: string; title: string; status: string; summary: string }[] }>
  }
  ending: {
    end(end: {
      status: 'success' | 'failure'
      result: string
      evidence: Evidence[]
      verdict?: Verdict | undefined
      documents?: string[] | undefined
      tools?: string[] | undefined
    }): Promise<{ ok: true } | { ok: false; problem: string }>
  }
  plans: {
    /**
     * Puts a plan before a person; once it is approved its tasks are made, and their summaries come as this call's answer. What a person
     * approved already, as a part of a larger plan, is made at once. A Fault says what is wrong with it.
     */
    propose(items: PlanItem[]): Promise<void>
  }
  reviews: {
    /** `wait`: the call is answered by the person's decision. */
    open(item: {
      kind: ReviewKind
      title: string
      action: unknown
      risk: 'low' | 'medium' | 'high'
      wait: boolean
    }): Promise<{ id: string }>
  }
  registry: {
    list<K extends RegistryKind>(kind: K): Promise<Versioned<EntryOf[K]>[]>
    get<K extends RegistryKind>(kind: K, name: string): Promise<Versioned<EntryOf[K]> | undefined>
    /** Whether an agent saved it last, so that no person answers for its words. */
    isAgents(entry: Versioned<EntryOf[RegistryKind]>): Promise<boolean>
    /** Saves a new version in this agent's name. null: other agents work by it, so a person is asked, and the call runs again once they agree. */
    saveDocument(document: Document): Promise<{ version: number; created: boolean } | null>
  }
  /** Files below the task's workspace; every path is checked, links included. Paths are relative; a Fault says what was refused. */
  files: {
    readonly root: string
    /** Real path of a file that must exist, or Fault. */
    existing(path: string): Promise<string>
    /** Path where a file may be written; parent folders are made. */
    target(path: string): Promise<string>
    /** An existing regular file, open for reading: the very file that was checked. The caller closes it. */
    open(path: string): Promise<FileHandle>
    /** Writes a whole file at once (or, with `append`, at its end) and says how large it is now. The mode of an existing file stays. */
    write(path: string, data: string | Uint8Array, how?: { append?: boolean }): Promise<{ bytes: number; created: boolean }>
    /** Removes one file, or moves it to where there is none; what can be undone, or a Fault. `again`: it was begun before a crash. */
    remove(path: string, how?: { again?: boolean }): Promise<void>
    move(from: string, to: string, how?: { again?: boolean }): Promise<void>
    /** What lies below a folder, upper levels first. Links are `other`; `closed` are folders not entered (noise such as `.git`, or protected). */
    list(
      path: string,
      how: { depth: number; most: number },
    ): Promise<{
      entries: { path: string; kind: 'file' | 'folder' | 'other'; bytes: number | null }[]
      closed: string[]
      complete: boolean
    }>
  }
  /** The goal's repositories and this task's work trees in them. Names are checked; a Fault says what to write instead. */
  git: TaskGit
  /** The system's own source and changes of it. A Fault says why not, or what to do first. */
  self: {
    /** One file, or what lies in a folder, of the revision that runs. */
    read(path: string): Promise<{ kind: 'file'; text: string } | { kind: 'folder'; names: string[] }>
    search(words: string, below: string | null): Promise<{ text: string; cut: boolean }>
    /** This task's work tree of the source, made on first use; main in it is brought forward. */
    begin(): Promise<{ repository: string; folder: string; branch: string; head: string; created: boolean }>
    /** The quick gates, or all of them, on what the work tree holds; nothing is proposed. */
    gates(how: {
      quick: boolean
    }): Promise<{ level: number; reasons: string[]; gates: { name: string; verdict: string; summary: string; log: string }[] }>
    /** Hands in what the work tree holds; the call is answered when it is kept, undone or refused. */
    propose(proposal: {
      kind: 'feature' | 'fix' | 'refactor' | 'docs'
      title: string
      why: string
      evidence: string
      effect: string
    }): Promise<void>
    /** Those of this goal, or one of any goal. */
    changes(id?: string): Promise<Change[]>
    restart(): void
  }
  /** Values that people entrusted to the system, for the environment of a command. */
  secrets: {
    /** Why this task cannot have it, and who can change that; null: it can. */
    refusal(name: string): string | null
    values(names: readonly string[]): Promise<Record<string, string>>
  }
  /** The system's own database. A Fault says what to write instead. */
  database: {
    query(sql: string, limits: { rows: number }): Promise<QueryResult>
    /** What one UPDATE or DELETE would change, for a person to see. Changes nothing. */
    preview(sql: string): Promise<unknown>
    /** Does what a person approved for this call, and answers the call in the same commit. Without an approval, a Fault. */
    change(sql: string): Promise<void>
  }
  /** Public pages only, at a polite pace; searches and citations are kept for the task. A Fault says why there is no answer. */
  web: { search(query: string, limit: number): Promise<Found>; fetch(url: string): Promise<Page> }
  /** `isolation`: the best that this machine has, which a command runs at unless it says otherwise. */
  exec: {
    readonly isolation: Isolation
    /** What the tool that asks has learnt; null: nothing. */
    readonly habits: Habits | null
    run(command: Omit<Command, 'cwd' | 'workspace'> & { cwd?: string }): Promise<CommandResult>
  }
  /** Commands in the background of this task. Faults say what to do instead. */
  jobs: {
    start(
      command: Omit<Command, 'cwd' | 'workspace' | 'live' | 'outputBytes'> & {
        cwd: string
        /** The folder and the command, as people read them. */
        place: string
        line: string
        secrets: readonly string[]
        hosts: readonly string[]
        terminal?: { columns: number; rows: number }
      },
    ): Promise<JobNews>
    /** null: it does not run, or not in this process. */
    live(name: string): LiveJob | null
    poll(name: string, wait: JobWait): Promise<JobNews>
    write(name: string, given: { text: string; end: boolean }): void
    stop(name: string): Promise<void>
  }
  /** Tools that agents make. Faults say what is wrong with one. */
  made: {
    /** Why a person decides before it enters use; null: nobody needs to. */
    asks(draft: Draft): string | null
    /** Looks it over and runs its tests; what a person is shown. Saves nothing. */
    preview(draft: Draft): Promise<unknown>
    /** The same, and saves it, hands it to this task and answers the call, in one commit. */
    make(draft: Draft): Promise<void>
    /** Runs one that was made. */
    run(name: string, input: unknown): Promise<Outcome>
  }
  /** For the person whose words the task is: how things stand, an act on one of the goals, a new goal. A Fault says why not. */
  desk: {
    look(goal?: string): Promise<string>
    act(goal: string, verb: 'cancel' | 'pause' | 'resume' | 'steer', message?: string): Promise<string>
    start(goal: string): Promise<string>
  }
  /** The stuck task that a supervisor was started for, and what is below it. A Fault says what is not its own. */
  supervision: {
    inspect(taskId?: string): Promise<string>
    /** Does it, and answers the call in the same commit. */
    resolve(taskId: string | undefined, how: Resolution): Promise<void>
  }
  /** True when the person who typed the goal wrote exactly this command into this task's own instruction. */
  origin: { typedByPerson(command: string): { typed: boolean; once: boolean } }
}
export type { Agent, Document, ToolEntry }

export type Call = { id: string; task: Task; signal: AbortSignal; attempt: number }

/** Answer the model now; the answer comes later as a row of its own; or this call ended the task. */
/** `taint`: the text comes from where nobody in the tree wrote it; the task is marked with it for good. */
export type Outcome = { kind: 'answer'; text: string; isError?: boolean; taint?: readonly Taint[] } | { kind: 'later' } | { kind: 'ended' }
export const answer = (text: string): Outcome => ({ kind: 'answer', text })
/** A mistake of the model's: it is told what was wrong and may try again. */
export const mistake = (text: string): Outcome => ({ kind: 'answer', text, isError: true })

/** For a tool's last `catch`: what an outsider may be told, the model is told; anything else is a bug and goes on. */
export function faultAsMistake(error: unknown): Outcome {
  if (error instanceof Fault) return mistake(error.message)
  throw error
}

/** `allow`, or what a person must decide before the call runs. */
export type Permission = 'allow' | { ask: { title: string; action: unknown; risk: 'low' | 'medium' | 'high' } }

export type Tool = {
  name: string
  description: string
  /** The five words that later policies speak of. */
  permission: 'read' | 'write' | 'exec' | 'network' | 'self'
  /** It only arranges work within the goal (tasks, questions, ends): nothing outside the tree of tasks changes. */
  arranges?: true
  /**
   * A task that only judges another may call it, and changes nothing with it; of the others it has those that always only read. `finished`: only
   * where what is judged has ended its work.
   */
  judging?: true | 'finished'
  /** Only agents that a person allowed this have the tool, and they all have it: `web` is `web_search_allowed`. */
  requires?: 'web'
  inputSchema: Record<string, unknown>
  effect(raw: unknown, call: Call, all: Capabilities): Effect
  /** Its effect where that is always the same; absent where it depends on the arguments. */
  fixedEffect?: Effect
  permit(raw: unknown, call: Call, all: Capabilities): Permission
  /** What a person is shown in place of the action of `permit`, found out by looking, right before they are asked; a Fault: it cannot be done. */
  preview?(raw: unknown, call: Call, all: Capabilities): Promise<unknown>
  /** What the policy is told of the call. */
  facts(raw: unknown, call: Call, all: Capabilities): Declared
  /** Why arguments are not right, in one line; null when they are. */
  problemIn(raw: unknown): string | null
  /** Bad arguments become a `mistake` that names the field. */
  call(raw: unknown, call: Call, all: Capabilities): Promise<Outcome>
}

/** JSON Schema for the model, without the bounds of safe integers, which only cost tokens. */
function schemaOf(input: z.ZodObject): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
  return schema
}

export function defineTool<S extends z.ZodObject, N extends keyof Capabilities = never>(spec: {
  name: string
  /** Words for the model: when to use it, what comes back, what it costs. */
  description: string
  permission: Tool['permission']
  arranges?: true
  judging?: true | 'finished'
  requires?: NonNullable<Tool['requires']>
  effect: Effect | ((input: z.output<S>, ctx: Call & Pick<Capabilities, N>) => Effect)
  needs?: readonly N[]
  input: S
  /** Left out: always allowed. Pure: it may be asked again after a restart. */
  permit?(input: z.output<S>, ctx: Call & Pick<Capabilities, N>): Permission
  /** What a person is shown, where that takes looking; changes nothing. Undefined: what `permit` says. */
  preview?(input: z.output<S>, ctx: Call & Pick<Capabilities, N>): Promise<unknown>
  /** What the call would touch, as data; pure. Left out: only the permission word and the effect are known. */
  facts?(input: z.output<S>, ctx: Call & Pick<Capabilities, N>): Declared
  run(input: z.output<S>, ctx: Call & Pick<Capabilities, N>): Promise<Outcome>
}): Tool {
  const { needs = [], input } = spec
  const context = (call: Call, all: Capabilities) => {
    const ctx: Record<string, unknown> = { ...call }
    for (const name of needs) ctx[name] = all[name]
    return ctx as Call & Pick<Capabilities, N>
  }
  return {
    name: spec.name,
    description: spec.description,
    permission: spec.permission,
    ...(spec.arranges ? { arranges: true as const } : {}),
    ...(spec.judging ? { judging: spec.judging } : {}),
    ...(spec.requires ? { requires: spec.requires } : {}),
    inputSchema: schemaOf(input),
    ...(typeof spec.effect === 'function' ? {} : { fixedEffect: spec.effect }),
    effect(raw, call, all) {
      if (typeof spec.effect !== 'function') return spec.effect
      const parsed = input.safeParse(raw)
      return parsed.success ? spec.effect(parsed.data as z.output<S>, context(call, all)) : 'read'
    },
    permit(raw, call, all) {
      if (!spec.permit) return 'allow'
      const parsed = input.safeParse(raw)
      return parsed.success ? spec.permit(parsed.data as z.output<S>, context(call, all)) : 'allow'
    },
    ...(spec.preview
      ? {
          async preview(raw: unknown, call: Call, all: Capabilities) {
            const parsed = input.safeParse(raw)
            return parsed.success ? spec.preview?.(parsed.data as z.output<S>, context(call, all)) : undefined
          },
        }
      : {}),
    facts(raw, call, all) {
      const parsed = input.safeParse(raw)
      if (!parsed.success) return { idle: true } // it answers with the mistake and does nothing
      return spec.facts?.(parsed.data as z.output<S>, context(call, all)) ?? {}
    },
    problemIn(raw) {
      const parsed = input.safeParse(raw)
      return parsed.success ? null : z.prettifyError(parsed.error).replace(/\s*\n\s*/g, ' ')
    },
    async call(raw, call, all) {
      const parsed = input.safeParse(raw)
      if (!parsed.success) return mistake(`The arguments of ${spec.name} are not right:\n${z.prettifyError(parsed.error)}`)
      return spec.run(parsed.data as z.output<S>, context(call, all))
    },
  }
}
