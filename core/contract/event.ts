/** Every fact that the interface, traces and watchers can see. Append-only; committed with the change it tells of. */
import type { AccessChange } from './access.ts'
import type { AskAct } from './ask.ts'
import type { Change, ChangeState, GateVerdict } from './change.ts'
import type { Risk } from './command-text.ts'
import type { Approval } from './goal.ts'
import type { LessonState } from './learning.ts'
import type { Limits } from './limits.ts'
import type { NetworkUse } from './network.ts'
import type { PolicyVerdict, Rule, Taint } from './policy.ts'
import type { Review } from './review.ts'
import type { CheckedEvidence, Reason, Spend, Task, TaskStatus, Verdict } from './task.ts'
import type { Watch } from './watch.ts'

/** `differs`: it offers other tools than were approved. `failed`: it could not be started, or ended under a call. */
export type ServerChange = 'added' | 'removed' | 'enabled' | 'disabled' | 'approved' | 'differs' | 'failed' | 'rules' | 'logged in'

export const ALERT_KINDS = ['cpu', 'memory', 'disk'] as const
export type AlertKind = (typeof ALERT_KINDS)[number]

export type TreeMode = 'auto' | 'step'
/** What is known of a goal as a whole; its status is its root task's. */
export type TreeHead = {
  id: string
  goal: string
  mode: TreeMode
  limits: Limits
  spend: Spend
  taskCount: number
  /** Why no task of the tree may go on; null: it may. */
  pausedReason: string | null
  submittedBy: string
  createdAt: string
  /** Absent in facts that are older than the word. */
  approval?: Approval
  /** What answers for its agents in place of their default. */
  model?: string
  /** A person approves its plan before anything is done. */
  planned?: true
  /** The goal that this one was made from. */
  forkedFrom?: string
  /** Whether the watchdog looks after its tasks. Absent in facts that are older than the word. */
  watched?: boolean
  /** It waits twice as long with them. */
  patient?: boolean
  /** It is an ask and no goal: the first ask of its conversation. */
  conversation?: string
}

export type Fact =
  | { type: 'tree.created'; tree: TreeHead }
  | { type: 'tree.paused'; reason: string }
  | { type: 'tree.resumed'; limits: Limits }
  | { type: 'tree.watched'; on: boolean; patient?: boolean; by: string }
  | { type: 'task.created'; task: Task }
  | {
      type: 'task.moved'
      taskId: string
      from: TaskStatus
      to: TaskStatus
      reason: Reason | null
      note: string | null
      attempt: number
      wakeAt: string | null
      /** Present from the moment the task has an outcome. */
      outcome?: {
        result: string | null
        summary: string | null
        evidence: CheckedEvidence[]
        verdict: Verdict | null
        stoppedByPerson: boolean
      }
    }
  /** `text` is a preview; the whole message is read by its number. */
  | {
      type: 'message.added'
      taskId: string
      n: number
      role: 'system' | 'user' | 'assistant' | 'tool' | 'compaction'
      text: string
      calls?: string[]
    }
  | { type: 'call.began'; taskId: string; callId: string; tool: string; attempt: number }
  | { type: 'call.ended'; taskId: string; callId: string; tool: string; ok: boolean; ms: number }
  /** Spend of one model call, and of it alone. */
  | {
      type: 'model.called'
      taskId: string
      /** Number of the call in its task; absent in facts that are older than the word. */
      n?: number
      provider: string
      model: string
      spend: Spend
      latencyMs: number
      outcome: 'ok' | 'fault' | 'lost'
    }
  | { type: 'model.fault'; taskId: string; provider: string; model: string; kind: string; message: string; retryAt: string | null }
  /** A call met a limit of the provider: nobody calls it before `until`. `rate`: calls or tokens in a time; `quota`: what is paid for. */
  | { type: 'provider.held'; provider: string; kind: 'rate' | 'quota'; why: string; until: string }
  /** It is called again. `by`: why, where no call tried it first. */
  | { type: 'provider.released'; provider: string; by: string | null }
  | { type: 'review.opened'; review: Review }
  | { type: 'review.decided'; review: Review }
  /** Put off, back from that, or overdue. */
  | { type: 'review.changed'; review: Review }
  /** What the policy said of a call that is not simply allowed. */
  | {
      type: 'policy.decided'
      taskId: string
      callId: string
      tool: string
      verdict: PolicyVerdict
      reason: string
      rule: string | null
      risk: Risk
    }
  | { type: 'rule.added'; rule: Rule }
  | { type: 'rule.revoked'; ruleId: string; by: string }
  /** A person approved that an agent changes these of it; `agent` and `model`: somebody else goes on with it. */
  | {
      type: 'task.changed'
      taskId: string
      title?: string
      priority?: number
      deadlineAt?: string | null
      agent?: string
      model?: string | null
    }
  /** An agent changed rows of the system's own database; `by` approved exactly this. */
  | {
      type: 'database.changed'
      taskId: string
      callId: string
      verb: 'update' | 'delete'
      table: string
      columns: string[]
      rows: number
      /** Its beginning, where it is long. */
      sql: string
      by: string
    }
  | { type: 'task.controlled'; taskId: string; verb: string; by: string; comment: string | null }
  /** What the agent that people speak to did for an ask. More than one goal: any could be meant, and nothing was done. */
  | { type: 'ask.acted'; taskId: string; callId: string; act: AskAct; goals: string[] }
  /** A person has it done anew from message `from`. What is left out is as it was. `stopped`: tasks below it that had not ended. */
  | {
      type: 'task.rerun'
      taskId: string
      from: number
      /** Whether the person's words stand in the place of the task, or of what a person had said there. */
      replaced: 'instruction' | 'words' | null
      /** Its beginning, where it is long. */
      instruction?: string
      model?: string | null
      stopped: string[]
      by: string
    }
  /** An outside agent took it up, or fell silent with it; then it waits for the next one. */
  | { type: 'outside.claimed'; taskId: string; agent: string }
  | { type: 'outside.lapsed'; taskId: string; agent: string; lapses: number }
  /** Who may claim tasks from outside. */
  | { type: 'outside.registered'; agent: string; capabilities: string[]; by: string }
  | { type: 'outside.removed'; agent: string; by: string }
  | { type: 'task.granted'; taskId: string; documents: string[]; tools: string[] }
  /** It has read what nobody in its tree wrote; `taint` is all of it. */
  | { type: 'task.tainted'; taskId: string; taint: Taint[] }
  /** Every value is sealed with another SYSTEM_SECRET_KEY; the values are the same. */
  | { type: 'secret.rotated'; count: number; by: string }
  /** A person let the main branch of the source come from a remote, or go there. `to`: the commit. */
  | { type: 'source.synced'; how: 'pull' | 'push'; remote: string; branch: string; to: string; commits: number; by: string }
  /** Never a value: whose name, and who may have it since. */
  | { type: 'secret.changed'; name: string; what: 'set' | 'removed' | 'granted'; grants: string[]; by: string }
  /** Its value was put into the environment of a command of this task. */
  | { type: 'secret.used'; taskId: string; names: string[] }
  /** A command that was allowed hosts has ended: every connection that it made or tried. */
  | { type: 'network.used'; taskId: string; callId: string; use: NetworkUse }
  /** Somebody else's MCP server whose tools agents may use. `detail`: what a person looks for, in words. */
  | { type: 'server.changed'; server: string; what: ServerChange; detail: string | null; by: string }
  /** Who may come in, and who did. `subject`: a person, or the name of a token; never a value. */
  | { type: 'access.changed'; what: AccessChange; subject: string; by: string }
  /** A command runs in the background of this task since. */
  | { type: 'job.started'; taskId: string; job: string; command: string; isolation: string }
  | { type: 'job.ended'; taskId: string; job: string; exitCode: number | null; ending: string }
  /** A call of a tool that an agent made has run. `fault`: what was wrong with the tool itself; null: nothing was, whatever it answered. */
  | { type: 'tool.ran'; taskId: string; callId: string; tool: string; version: number; ms: number; fault: string | null }
  /** A person lets every agent have this version. */
  | { type: 'tool.approved'; name: string; version: number; by: string }
  /** `to`: the version that was saved anew as the newest; null: there was none, and the tool is switched off. */
  | { type: 'tool.rolledback'; name: string; from: number; to: number | null; why: string; by: string }
  /**
   * The watchdog found something, went a step further, or sees it no more (`watch` null). `words`: what it did or why it is over; `by`: `watchdog`,
   * or the agent or person who resolved it.
   */
  | { type: 'task.watched'; taskId: string; watch: Watch | null; words: string; by: string }
  /** The sweep found something that no event had woken. */
  | { type: 'sweep.repaired'; taskId: string; what: string }
  /** Nothing begins anywhere until it is resumed. */
  | { type: 'system.paused'; by: string; comment: string | null }
  | { type: 'system.resumed'; by: string }
  /** A use of the machine went above its limit, and is clearly below it again. */
  | { type: 'alert.raised'; what: AlertKind; percent: number; words: string }
  | { type: 'alert.cleared'; what: AlertKind; percent: number }
  /** A goal that ended long ago left the database. `file`: where it was kept, under DATA_DIR; null: nobody wanted it. */
  | { type: 'tree.removed'; id: string; tasks: number; file: string | null; by: string }
  | { type: 'registry.saved'; kind: 'agent' | 'document' | 'tool'; name: string; version: number; by: string }
  /** The policy, or a setting that the owner changed while it runs. */
  | { type: 'settings.saved'; name: string; version: number; by: string }
  /** A change of the system's own code stands so now. */
  | { type: 'change.moved'; change: Omit<Change, 'files' | 'why' | 'evidence' | 'effect'>; from: ChangeState | null }
  | { type: 'change.gated'; changeId: string; round: number; gate: string; verdict: GateVerdict; summary: string; ms: number }
  /** A person has looked at these files of a change, or wants to look at them again. */
  | { type: 'change.viewed'; changeId: string; paths: string[]; viewed: boolean; by: string }
  /** What was learnt from the history stands so now. `by`: who decided it. */
  | { type: 'lesson.moved'; lesson: string; title: string; tool: string; state: LessonState; by: string | null }
  | { type: 'registry.removed'; kind: 'agent' | 'document' | 'tool'; name: string; by: string }

/** `seq` grows without a gap that a reader could skip; `treeId` is null for facts about the system. */
export type Event = { seq: number; at: string; treeId: string | null } & Fact
