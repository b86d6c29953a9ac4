/** What happened since this person last looked at the goal, and a way to each of it. */
import { X } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Since } from '../../../core/contract/api-look.ts'
import { useRead } from '../../read.ts'
import { Button } from '../../ui/button.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { tree } from '../../words/tree.ts'

const KINDS = ['asked', 'failed', 'finished'] as const
const TONE = { asked: 'tone-you', failed: 'tone-bad', finished: 'tone-good' }

export function Away({ treeId, seen, jump, only }: { treeId: string; seen: number; jump: (taskId: string) => void; only: () => void }) {
  const [gone, setGone] = useState(false)
  const { data } = useRead(ROUTES.treeSince, { params: { id: treeId }, query: { seq: String(seen) } })
  if (gone || !data || data.finished + data.failed + data.asked === 0) return null
  return (
    <section className="away" aria-label={tree.away.label}>
      <strong>{tree.away.label}</strong>
      {KINDS.map((kind) => data[kind] > 0 && <Jump key={kind} kind={kind} since={data} jump={jump} />)}
      {data.spentMicros + data.unpricedCalls > 0 && (
        <span className="dim">{tree.away.spent(moneyWords({ costMicros: data.spentMicros, unpricedCalls: data.unpricedCalls }))}</span>
      )}
      {!data.complete && <span className="dim">{tree.away.notAll}</span>}
      <Button look="quiet" small onClick={only}>
        {tree.away.only}
      </Button>
      <IconButton icon={X} label={tree.away.dismiss} onClick={() => setGone(true)} />
    </section>
  )
}

function Jump({ kind, since, jump }: { kind: (typeof KINDS)[number]; since: Since; jump: (taskId: string) => void }) {
  const [next, setNext] = useState(0)
  const those = since.items.filter((item) => item.what === kind)
  const item = those[next % Math.max(1, those.length)]
  return (
    <button
      type="button"
      className={`small away-jump ${TONE[kind]}`}
      title={tree.away.jump}
      onClick={() => {
        if (!item) return
        jump(item.taskId)
        setNext(next + 1)
      }}
    >
      {tree.away[kind](since[kind])}
    </button>
  )
}
