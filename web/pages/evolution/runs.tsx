/** What runs now, what Banyan would go back to, whether it can change its code here, and what lands without a person. */
import { ShieldCheck, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { SelfState, Slot } from '../../../core/contract/api-changes.ts'
import { AUTONOMY, type Autonomy } from '../../../core/contract/change.ts'
import { duration } from '../../format.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Link } from '../../ui/link.tsx'
import { Select } from '../../ui/select.tsx'
import { evolution } from '../../words/evolution.ts'
import { changePath } from './paths.ts'

const words = evolution.runs
const EVERY_MS = 30_000

export function Runs() {
  const state = useRead(ROUTES.selfState, undefined, { follow: true })
  const slots = useRead(ROUTES.slots, undefined, { follow: true, every: EVERY_MS })
  const system = useRead(ROUTES.system, undefined, { follow: true, every: EVERY_MS })
  if (!state.data || !slots.data || !system.data) return null
  const { active, good, items, failed } = slots.data
  const kept = state.data.keeper
  const running = kept ? items.find((slot) => slot.name === active) : undefined
  const back = items.find((slot) => slot.name === (good === active ? (active === 'A' ? 'B' : 'A') : good) && slot.state === 'kept')
  const golden = items.find((slot) => slot.name === 'golden')
  return (
    <section className="what-runs" aria-label={words.title}>
      {!state.data.on && (
        <div className="runs-off" role="note">
          <TriangleAlert aria-hidden="true" />
          <p>
            <strong>{evolution.off}.</strong> {state.data.why}
          </p>
        </div>
      )}
      <dl className="runs-slots">
        <div className="runs-now">
          <dt>{words.revision}</dt>
          <dd>
            <span className="runs-revision">
              <code>{system.data.revision.slice(0, 12)}</code>
              <CopyButton text={system.data.revision} label={words.copy} />
            </span>
            <span className="dim">
              {running && <>{active === 'golden' ? words.safe : words[running.state === 'trial' ? 'trial' : 'kept']} · </>}
              {words.since(duration(system.data.uptimeSeconds * 1_000))}
              {running && <FromChange slot={running} />}
            </span>
          </dd>
        </div>
        {kept && (
          <>
            <div>
              <dt>{words.back}</dt>
              <dd>{back ? <Revision slot={back} /> : <span className="dim">{words.backNone}</span>}</dd>
            </div>
            <div>
              <dt>{words.golden}</dt>
              <dd>{golden ? <Revision slot={golden} /> : <span className="dim">{words.goldenNone}</span>}</dd>
            </div>
          </>
        )}
        <div>
          <dt>
            <ShieldCheck aria-hidden="true" /> {evolution.autonomy.label}
          </dt>
          <dd>
            <AutonomyChoice state={state.data} />
          </dd>
        </div>
      </dl>
      {!kept && <p className="dim runs-note">{words.noKeeper}</p>}
      {failed.length > 0 && (
        <details className="runs-failed">
          <summary>{words.failed(failed.length)}</summary>
          <ul>
            {failed.map((one) => (
              <li key={one.tree}>
                <code>{one.tree.slice(0, 12)}</code> {one.reason}{' '}
                {one.changeId && <Link to={changePath(one.changeId)}>{evolution.review.page}</Link>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

function Revision({ slot }: { slot: Slot }) {
  return (
    <>
      <code>{(slot.commit ?? slot.tree).slice(0, 12)}</code>
      <span className="dim">
        {slot.source === 'change' ? '' : words.fromCheckout}
        <FromChange slot={slot} />
      </span>
    </>
  )
}

function FromChange({ slot }: { slot: Slot }) {
  if (slot.changeId === null || slot.source !== 'change') return null
  return (
    <>
      {' '}
      <Link to={changePath(slot.changeId)}>{words.fromChange}</Link>
    </>
  )
}

function AutonomyChoice({ state }: { state: SelfState }) {
  const save = useWrite(ROUTES.saveAutonomy, [ROUTES.selfState, ROUTES.system])
  const toast = useToast()
  const may = useMay()
  const [asking, setAsking] = useState(false)
  const { options } = evolution.autonomy
  const choose = (autonomy: Autonomy) =>
    save.mutate(
      { body: { autonomy } },
      {
        onSuccess: () => toast(evolution.autonomy.saved(options[autonomy].label)),
        onError: (fault) => toast(fault.message, { tone: 'bad' }),
      },
    )
  return (
    <>
      <Select
        label={evolution.autonomy.label}
        value={state.autonomy}
        options={AUTONOMY.map((value) => ({ value, ...options[value] }))}
        disabled={!may('admin') || save.isPending}
        choose={(value) => (value === 'code' ? setAsking(true) : choose(value as Autonomy))}
      />
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={evolution.autonomy.askCode}
        yes={evolution.autonomy.yes}
        onYes={() => choose('code')}
      >
        {evolution.autonomy.askCodeMeaning}
      </ConfirmDialog>
    </>
  )
}
