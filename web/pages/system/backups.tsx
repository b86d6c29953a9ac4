/** Backups of the database: how old the newest is, one more, whether each is whole, and the way back to one. */
import { useQueryClient } from '@tanstack/react-query'
import { CircleCheck, CircleHelp, CircleX, DatabaseBackup, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { BackupItem } from '../../../core/contract/api-backups.ts'
import { useActions } from '../../actions.ts'
import { useBanyan, useNow } from '../../banyan.ts'
import { size } from '../../format.ts'
import { useRead } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Fault } from '../../ui/notice.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { system } from '../../words/system.ts'
import { dayAndTime, relativeTime } from '../../words/words.ts'

const words = system.backups
const EVERY_MS = 60_000
/** One a day is usual; after two something is wrong. */
const OLD_MS = 48 * 3_600_000

export function Backups() {
  const { api } = useBanyan()
  const queries = useQueryClient()
  const read = useRead(ROUTES.backups, undefined, { every: EVERY_MS })
  const toast = useToast()
  const { busy, fault, act } = useAct()
  const [back, setBack] = useState<BackupItem | null>(null)
  const again = () => queries.invalidateQueries({ queryKey: [ROUTES.backups.path] })
  const make = () =>
    void act(async () => {
      const made = await api.call(ROUTES.makeBackup)
      await again()
      toast(words.made(size(made.bytes)), { tone: 'good' })
    })
  useActions([{ id: 'backups.make', label: words.make, group: system.tabs.backups, keys: 'b', run: make }])
  return (
    <div className="system-part">
      <div className="part-head">
        <Button look="primary" onClick={make} disabled={busy}>
          <DatabaseBackup aria-hidden="true" /> {busy ? words.making : words.make}
        </Button>
        <span className="grow" />
        <ReadAge at={read.dataUpdatedAt} every={EVERY_MS} again={() => void read.refetch()} busy={read.isFetching} />
      </div>
      {fault && <Fault again={make}>{fault}</Fault>}
      <Reading read={read} label={words.reading} failed={words.failed} effect={system.effect} lines={6}>
        {({ items }) => (
          <>
            <Newest items={items} />
            {items.length === 0 ? (
              <EmptyState icon={DatabaseBackup} title={words.none}>
                {words.noneHow}
              </EmptyState>
            ) : (
              <table className="rows backups">
                <thead>
                  <tr>
                    <th scope="col">{words.time}</th>
                    <th scope="col">{words.size}</th>
                    <th scope="col">{words.why}</th>
                    <th scope="col">{words.state}</th>
                    <th scope="col">{words.acts}</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((one) => (
                    <Row key={one.id} backup={one} again={again} restore={() => setBack(one)} />
                  ))}
                </tbody>
              </table>
            )}
          </>
        )}
      </Reading>
      <Restore backup={back} close={() => setBack(null)} />
    </div>
  )
}

/** Whether there is one that helps. */
function Newest({ items }: { items: readonly BackupItem[] }) {
  const now = useNow()
  const good = items.find((one) => !one.checked?.problem)
  if (items.length === 0) return null
  const old = good === undefined || now - Date.parse(good.at) > OLD_MS
  return (
    <p className={`verdict ${old ? 'verdict-bad' : 'verdict-good'}`} role="status">
      {old ? <TriangleAlert aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}
      {good === undefined ? words.allBad : (old ? words.old : words.fresh)(relativeTime(good.at, now))}
    </p>
  )
}

function Row({ backup, again, restore }: { backup: BackupItem; again: () => Promise<void>; restore: () => void }) {
  const { api } = useBanyan()
  const toast = useToast()
  const { busy, fault, act } = useAct()
  const when = dayAndTime(backup.at)
  const check = () =>
    void act(async () => {
      const { checked } = await api.call(ROUTES.checkBackup, { params: { id: backup.id } })
      await again()
      if (checked)
        toast(checked.problem === null ? words.whole(when) : words.broken(when, checked.problem), {
          tone: checked.problem ? 'bad' : 'good',
        })
    })
  return (
    <tr>
      <td className="rows-main">
        <RelativeTime at={backup.at} />
        <span className="dim rows-note">{when}</span>
      </td>
      <td data-name={words.size}>{size(backup.bytes)}</td>
      <td data-name={words.why}>{words.whys[backup.why] ?? backup.why}</td>
      <td data-name={words.state}>
        <Checked checked={backup.checked} />
        {fault && <Fault>{fault}</Fault>}
      </td>
      <td className="backup-acts">
        <Button small disabled={busy} onClick={check} aria-label={words.checkOf(when)}>
          {busy ? words.checking : words.check}
        </Button>{' '}
        <Button small look="quiet" onClick={restore} aria-label={words.restoreOf(when)}>
          {words.restore}
        </Button>
      </td>
    </tr>
  )
}

function Checked({ checked }: { checked: BackupItem['checked'] }) {
  if (checked === null)
    return (
      <span className="with-icon tone-stop">
        <CircleHelp aria-hidden="true" /> {words.unchecked}
      </span>
    )
  const good = checked.problem === null
  const Icon = good ? CircleCheck : CircleX
  return (
    <span>
      <span className={`with-icon ${good ? 'tone-good' : 'tone-bad'}`}>
        <Icon aria-hidden="true" /> {good ? words.good : words.damaged(checked.problem ?? '')}
      </span>
      <span className="dim rows-note">
        <RelativeTime at={checked.at} />
      </span>
    </span>
  )
}

function Restore({ backup, close }: { backup: BackupItem | null; close: () => void }) {
  const command =
    backup?.kind === 'postgres'
      ? `pg_restore --clean --dbname="$DATABASE_URL" data/backups/${backup.id}`
      : `npx banyan db restore ${backup?.id}`
  return (
    <Dialog open={backup !== null} setOpen={(open) => !open && close()} title={words.restoreTitle}>
      {backup && (
        <div className="stack">
          <p>{words.restoreTo(dayAndTime(backup.at))}</p>
          <p className="restore-command">
            <code>{command}</code>
            <CopyButton text={command} label={words.copy} />
          </p>
          <ul className="restore-notes">
            {(backup.kind === 'postgres' ? words.restorePostgres : words.restoreNotes).map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </div>
      )}
    </Dialog>
  )
}
