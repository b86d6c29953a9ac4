/** What the gates said, in their order, each with what it wrote. */
import { Check, ChevronDown, ChevronRight, Minus, X } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Gate } from '../../../core/contract/change.ts'
import { duration } from '../../format.ts'
import { useRead } from '../../read.ts'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Reading } from '../../ui/reading.tsx'
import { evolution } from '../../words/evolution.ts'

const words = evolution.gates
const LOOK = { passed: { icon: Check, tone: 'good' }, failed: { icon: X, tone: 'bad' }, skipped: { icon: Minus, tone: 'stop' } } as const

/** As a review item holds it, without time; the rest is known where the change itself is read. */
export type ShownGate = Pick<Gate, 'name' | 'verdict' | 'summary'> & Partial<Pick<Gate, 'ms'>>
type Props = {
  changeId: string
  gates: readonly ShownGate[]
  /** The one whose log is open. */
  open: string | undefined
  setOpen: (name: string | undefined) => void
}

/** One line that says how it went. */
export function Verdict({ gates }: { gates: readonly ShownGate[] }) {
  const failed = gates.filter((gate) => gate.verdict === 'failed').length
  const passed = gates.filter((gate) => gate.verdict === 'passed').length
  const skipped = gates.filter((gate) => gate.verdict === 'skipped').length
  const ms = gates.reduce((sum, gate) => sum + (gate.ms ?? 0), 0)
  return failed > 0 ? (
    <span className="tone-bad gates-verdict">
      <X aria-hidden="true" /> {words.some(failed)}
    </span>
  ) : (
    <span className="tone-good gates-verdict">
      <Check aria-hidden="true" /> {words.all(passed, skipped, ms > 0 ? duration(ms) : null)}
    </span>
  )
}

/** Folded to its verdict where no gate failed: then there is little to read. `runs`: they are not through yet. */
export function GateFold(props: {
  changeId: string
  gates: readonly ShownGate[]
  runs?: boolean
  /** Which log is open, where the address keeps it. */
  log?: { open: string | undefined; setOpen: (name: string | undefined) => void }
}) {
  const { changeId, gates, runs = false, log } = props
  const needed = runs || log?.open !== undefined || gates.some((gate) => gate.verdict === 'failed')
  const [chosen, choose] = useState<boolean>()
  const open = chosen ?? needed
  const [own, setOwn] = useState<string>()
  const Turn = open ? ChevronDown : ChevronRight
  return (
    <section className="card change-card gate-fold" aria-label={words.title}>
      <h2>
        <button type="button" className="gate-fold-head" aria-expanded={open} onClick={() => choose(!open)}>
          <Turn aria-hidden="true" /> {words.title}
          <span className="grow" />
          {runs ? <span className="tone-run gates-running">{words.running(gates.length)}</span> : <Verdict gates={gates} />}
        </button>
      </h2>
      {open && <GateTable changeId={changeId} gates={gates} open={log ? log.open : own} setOpen={log ? log.setOpen : setOwn} />}
    </section>
  )
}

function GateTable({ changeId, gates, open, setOpen }: Props) {
  // Bars are as long as the slowest is slow.
  const slowest = Math.max(1, ...gates.map((gate) => gate.ms ?? 0))
  return (
    <ul className="gates">
      {gates.map((gate) => (
        <OneGate
          key={gate.name}
          changeId={changeId}
          gate={gate}
          part={(gate.ms ?? 0) / slowest}
          open={open === gate.name}
          toggle={() => setOpen(open === gate.name ? undefined : gate.name)}
        />
      ))}
    </ul>
  )
}

function OneGate(props: { changeId: string; gate: ShownGate; part: number; open: boolean; toggle: () => void }) {
  const { changeId, gate, part, open, toggle } = props
  const { icon: Icon, tone } = LOOK[gate.verdict]
  const Turn = open ? ChevronDown : ChevronRight
  return (
    <li className={`gate gate-${gate.verdict}`}>
      <button type="button" className="gate-line" aria-expanded={open} onClick={toggle}>
        <Icon className={`tone-${tone}`} aria-hidden="true" />
        <span className="gate-name">{gate.name}</span>
        <span className={`gate-word tone-${tone}`}>{words.verdicts[gate.verdict]}</span>
        <span className="gate-summary">{gate.summary}</span>
        <span className="gate-bar" aria-hidden="true">
          <span style={{ width: `${part * 100}%` }} />
        </span>
        <span className="gate-time">{gate.ms === undefined ? '' : duration(gate.ms)}</span>
        <Turn className="gate-turn" aria-hidden="true" />
      </button>
      {open && <GateLog changeId={changeId} name={gate.name} />}
    </li>
  )
}

function GateLog({ changeId, name }: { changeId: string; name: string }) {
  const read = useRead(ROUTES.changeGate, { params: { id: changeId, name } })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long log scrolls, and keys must be able to
    <section className="gate-log" aria-label={words.log(name)} tabIndex={0}>
      <Reading read={read} label={words.logReading} failed={words.logFailed} lines={3}>
        {({ log }) =>
          log.trim() === '' ? (
            <p className="dim">{words.logEmpty}</p>
          ) : (
            <>
              <CopyButton text={log} label={words.copyLog} />
              <AnsiText text={log} />
            </>
          )
        }
      </Reading>
    </section>
  )
}
