/** What a goal may use that says nothing of it, and what all goals may spend in a day. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useMay } from '../../me.ts'
import { useRead } from '../../read.ts'
import { Field } from '../../ui/field.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { Reading } from '../../ui/reading.tsx'
import { settings } from '../../words/settings.ts'
import { usd } from '../../words/words.ts'
import { CAPS, type CapName, keptOf, typedOf } from './caps.ts'
import { ChangeSetting } from './change-setting.tsx'
import { SaveBar } from './save-bar.tsx'
import { type PolicyForm, usePolicy } from './use-policy.ts'

const words = settings.budgets

export function Budgets() {
  const form = usePolicy()
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <Reading read={form.read} label={settings.reading} failed={settings.failed} effect={settings.effect}>
        {(saved) => <Caps key={saved.version} form={form} />}
      </Reading>
      <Day />
    </div>
  )
}

function Caps({ form }: { form: PolicyForm }) {
  const may = useMay()
  /** What was typed and not yet right, or not yet saved. */
  const [typed, setTyped] = useState<Partial<Record<CapName, string>>>({})
  const limits = form.policy?.limits
  if (!limits) return null
  const wrongOf = (name: CapName): string | null => {
    const cap = CAPS.find((one) => one.name === name)!
    const text = typed[name]
    const read = text === undefined ? null : keptOf(cap, text)
    return read && 'wrong' in read ? read.wrong : null
  }
  const wrong = CAPS.some((cap) => wrongOf(cap.name) !== null)
  return (
    <>
      <section className="card caps">
        {CAPS.map((cap) => (
          <Field key={cap.name} label={words.caps[cap.name]} error={wrongOf(cap.name)}>
            {(id, described) => (
              <input
                id={id}
                inputMode="decimal"
                value={typed[cap.name] ?? typedOf(cap, limits[cap.name])}
                readOnly={!may('admin')}
                autoComplete="off"
                onChange={(event) => {
                  const text = event.target.value
                  setTyped({ ...typed, [cap.name]: text })
                  const read = keptOf(cap, text)
                  if ('kept' in read) form.change({ limits: { ...limits, [cap.name]: read.kept } })
                }}
                {...described}
              />
            )}
          </Field>
        ))}
      </section>
      <SaveBar
        form={{
          ...form,
          discard() {
            setTyped({})
            form.discard()
          },
        }}
        wrong={wrong}
      />
    </>
  )
}

function Day() {
  const read = useRead(ROUTES.spend, undefined, { follow: true })
  return (
    <section className="card setting-card" aria-labelledby="day">
      <h2 id="day">{words.day}</h2>
      <Reading read={read} label={settings.reading} failed={settings.failed} lines={2}>
        {({ today, limit }) => (
          <>
            <p>
              {words.today(moneyWords({ costMicros: Math.round(today.dollars * 1_000_000), unpricedCalls: today.unpricedCalls }))}{' '}
              {limit && words.ofDay(usd(limit.dollars * 1_000_000))}
            </p>
            {limit && <meter className="day-meter" min={0} max={100} high={80} value={limit.usedPercent} aria-label={words.day} />}
          </>
        )}
      </Reading>
      <DayLimit />
    </section>
  )
}

function DayLimit() {
  const may = useMay()
  const { data } = useRead(ROUTES.settings, undefined, { when: may('admin') })
  const setting = data?.items.find((one) => one.id === 'DAILY_BUDGET_DOLLARS')
  return (
    <>
      {setting && <ChangeSetting key={`${setting.value}`} setting={setting} label={words.dayLimit} />}
      <p className="dim setting-note">{words.dayHow}</p>
    </>
  )
}
