/** The checks of `banyan doctor`, by the server itself: what is wrong comes first, each with its mend. */
import { CircleCheck, CircleHelp, CircleX, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Check } from '../../../core/contract/api-system.ts'
import { useActions } from '../../actions.ts'
import { useRead } from '../../read.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { Switch } from '../../ui/switch.tsx'
import { system } from '../../words/system.ts'

const words = system.doctor
const LOOK = {
  fail: { icon: CircleX, tone: 'bad' },
  warn: { icon: TriangleAlert, tone: 'you' },
  unknown: { icon: CircleHelp, tone: 'stop' },
  ok: { icon: CircleCheck, tone: 'good' },
} as const
const WORST_FIRST = Object.keys(LOOK)

export function Doctor() {
  const [online, setOnline] = useState(false)
  const read = useRead(ROUTES.doctor, { query: { online: online ? '1' : '0' } })
  const again = () => void read.refetch()
  useActions([{ id: 'doctor.run', label: words.again, group: system.tabs.doctor, keys: 'r', run: again }])
  return (
    <div className="system-part">
      <div className="part-head">
        <Button onClick={again} disabled={read.isFetching}>
          {read.isFetching ? words.running : words.again}
        </Button>
        <Switch label={words.online} on={online} set={setOnline} />
        <span className="dim">{words.onlineHint}</span>
        <span className="grow" />
        <ReadAge at={read.dataUpdatedAt} every={null} again={again} busy={read.isFetching} />
      </div>
      <Reading read={read} label={words.running} failed={words.failed} effect={system.effect} lines={8}>
        {({ checks }) => {
          const many = (state: Check['state']) => checks.filter((check) => check.state === state).length
          const bad = words.bad(many('fail'), many('warn'))
          return (
            <>
              <p className={`verdict ${bad ? 'verdict-bad' : 'verdict-good'}`} role="status">
                {bad ? <TriangleAlert aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}
                {bad ? `${bad}.` : words.good}
              </p>
              <ul className="checks">
                {[...checks]
                  .sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state))
                  .map((check) => (
                    <CheckLine key={`${check.name} ${check.words}`} check={check} />
                  ))}
              </ul>
            </>
          )
        }}
      </Reading>
      <p className="dim">
        {words.cli} <code>{words.cliCommand}</code>
      </p>
    </div>
  )
}

function CheckLine({ check }: { check: Check }) {
  const { icon: Icon, tone } = LOOK[check.state]
  return (
    <li className="check">
      <Icon className={`tone-${tone}`} aria-hidden="true" />
      <span className="check-name">{check.name}</span>
      <span className={`check-state tone-${tone}`}>{words.states[check.state]}</span>
      <span className="check-words">{check.words}</span>
      {check.state !== 'ok' && <CopyButton text={`${check.name}: ${check.words}`} label={words.copy} />}
    </li>
  )
}
