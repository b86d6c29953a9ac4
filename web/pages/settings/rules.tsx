/** What decisions of people allow or forbid from then on, and taking that back. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { settings } from '../../words/settings.ts'

const words = settings.policies
const TONES = { allow: 'good', ask: 'you', deny: 'bad' } as const

export function Rules() {
  const read = useRead(ROUTES.rules, { query: { limit: '200' } }, { follow: true })
  const revoke = useWrite(ROUTES.revokeRule, [ROUTES.rules])
  const may = useMay()
  const toast = useToast()
  const [asking, setAsking] = useState<string | null>(null)
  return (
    <section className="settings-part" aria-labelledby="rules">
      <h2 id="rules">{words.rules}</h2>
      <p className="dim">{words.rulesHint}</p>
      <Reading read={read} label={settings.reading} failed={settings.failed} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="dim">{words.rulesNone}</p>
          ) : (
            <ul className="setting-list">
              {items.map((rule) => (
                <li key={rule.id} className="setting-line">
                  <div className="grow">
                    <Badge tone={TONES[rule.verdict]}>{words.verdicts[rule.verdict]}</Badge> <strong>{rule.label}</strong>
                    <p className="dim setting-note">
                      {rule.createdBy} · <RelativeTime at={rule.createdAt} /> · {words.hits(rule.hits)}
                      {rule.agent && ` · ${rule.agent}`}
                      {rule.treeId && (
                        <>
                          {' · '}
                          <Link to={treePath(rule.treeId)}>{rule.treeId}</Link>
                        </>
                      )}
                    </p>
                  </div>
                  {may('review:decide') && (
                    <Button onClick={() => setAsking(rule.id)}>
                      {words.revoke}
                      <span className="hidden"> {rule.label}</span>
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Reading>
      <ConfirmDialog
        open={asking !== null}
        setOpen={(open) => !open && setAsking(null)}
        title={words.revokeAsk}
        yes={words.revoke}
        onYes={() =>
          revoke.mutate(
            { params: { id: asking! } },
            { onSuccess: () => toast(words.revoked), onError: (fault) => toast(fault.message, { tone: 'bad' }) },
          )
        }
      >
        {words.revokeMeaning}
      </ConfirmDialog>
    </section>
  )
}
