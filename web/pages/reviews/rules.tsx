/** What people said may always happen, must be asked, or never happens; each can be taken back. */
import { useSearch } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Rule } from '../../../core/contract/policy.ts'
import { useGoalWords } from '../../data/use-home.ts'
import { sentence } from '../../live.ts'
import { useRead, useWrite } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { reviews } from '../../words/reviews.ts'
import { AddRule } from './add-rule.tsx'
import './reviews.css'

const words = reviews.rulesPage
/** A rule is taken back after this long, so that a slip can be undone; leaving the page takes it back at once. */
const GRACE_MS = 5_000
const TONES = { allow: 'good', ask: 'you', deny: 'bad' } as const

export function Rules() {
  const { show } = useSearch({ strict: false }) as { show?: 'all' }
  const rules = useRead(ROUTES.rules, { query: { state: show ?? 'live', limit: '200' } }, { follow: true })
  const { leaving, revoke, undo } = useRevoke()
  const items = rules.data?.items ?? []
  return (
    <div className="column wide rules">
      <Link className="review-back" to="/reviews">
        <ArrowLeft aria-hidden="true" /> {words.back}
      </Link>
      <div className="page-head">
        <h1>{words.title}</h1>
        <nav className="review-tabs" aria-label={words.show}>
          <Link to="/reviews/rules" replace aria-current={show ? undefined : 'page'}>
            {words.live}
          </Link>
          <Link to="/reviews/rules?show=all" replace aria-current={show ? 'page' : undefined}>
            {words.all}
          </Link>
        </nav>
      </div>
      <p className="dim">{words.about}</p>
      {rules.isPending && <Skeleton lines={5} label={words.title} />}
      {rules.error && (
        <ErrorState title={words.failed} cause={rules.error.message} effect={words.failedEffect} retry={() => void rules.refetch()} />
      )}
      {rules.data && items.length === 0 && <EmptyState title={words.none}>{words.noneWhy}</EmptyState>}
      {items.length > 0 && (
        <table className="rules-table">
          <thead>
            <tr>
              <th scope="col">{words.columns.verdict}</th>
              <th scope="col">{words.columns.rule}</th>
              <th scope="col">{words.columns.by}</th>
              <th scope="col">{words.columns.hits}</th>
              <th scope="col">{words.columns.until}</th>
              <th scope="col">
                <span className="hidden">{words.columns.act}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((rule) => (
              <Line key={rule.id} rule={rule} isLeaving={leaving.has(rule.id)} revoke={() => revoke(rule)} undo={() => undo(rule.id)} />
            ))}
          </tbody>
        </table>
      )}
      <AddRule />
    </div>
  )
}

function Line({ rule, isLeaving, revoke, undo }: { rule: Rule; isLeaving: boolean; revoke: () => void; undo: () => void }) {
  const goal = useGoalWords(rule.treeId)
  const ended = rule.revokedAt ?? (rule.expiresAt !== null && Date.parse(rule.expiresAt) < Date.now() ? rule.expiresAt : null)
  return (
    <tr className={ended !== null || isLeaving ? 'is-decided' : undefined}>
      <td>
        <Badge tone={TONES[rule.verdict]}>{words.verdicts[rule.verdict]}</Badge>
      </td>
      <th scope="row">
        <div>
          <code>{rule.label}</code>
          <span className="dim">
            {words.scopes[rule.scope]}
            {rule.treeId !== null && (
              <>
                {', '}
                <Link to={treePath(rule.treeId)} title={goal}>
                  {words.inGoal}
                </Link>
              </>
            )}
            {rule.agent !== null && `, ${rule.agent}`}
            {rule.tainted && `, ${words.tainted}`}
          </span>
        </div>
      </th>
      <td data-name={words.columns.by}>
        {rule.createdBy}{' '}
        <span className="dim">
          <RelativeTime at={rule.createdAt} />
        </span>
      </td>
      <td data-name={words.columns.hits}>
        {rule.hits === 0 ? (
          <span className="dim">{words.never}</span>
        ) : (
          <>
            {words.hits(rule.hits)}{' '}
            {rule.lastHitAt && (
              <span className="dim">
                <RelativeTime at={rule.lastHitAt} />
              </span>
            )}
          </>
        )}
      </td>
      <td data-name={words.columns.until}>
        {ended !== null ? (
          <span className="dim">
            {rule.revokedAt ? words.revoked : words.expired} <RelativeTime at={ended} />
          </span>
        ) : rule.expiresAt === null ? (
          <span className="dim">{words.forever}</span>
        ) : (
          <RelativeTime at={rule.expiresAt} />
        )}
      </td>
      <td>
        {isLeaving ? (
          <Button small onClick={undo}>
            {reviews.decide.undo}
          </Button>
        ) : ended === null ? (
          <Button small look="danger" aria-label={words.revokeOf(rule.label)} onClick={revoke}>
            {words.revoke}
          </Button>
        ) : null}
      </td>
    </tr>
  )
}

function useRevoke() {
  const [leaving, setLeaving] = useState<ReadonlySet<string>>(new Set())
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>())
  const write = useWrite(ROUTES.revokeRule, [ROUTES.rules])
  const toast = useToast()
  const settle = (id: string) => {
    clearTimeout(timers.current.get(id))
    timers.current.delete(id)
    setLeaving((known) => new Set([...known].filter((one) => one !== id)))
  }
  const send = (id: string) => {
    clearTimeout(timers.current.get(id))
    timers.current.delete(id)
    write.mutate(
      { params: { id } },
      {
        onSuccess: () => toast(words.gone, { tone: 'good' }),
        onError: (fault) => toast(sentence(fault), { tone: 'bad' }),
        onSettled: () => settle(id),
      },
    )
  }
  const newest = useRef(send)
  newest.current = send
  useEffect(() => {
    const flush = () => {
      for (const id of [...timers.current.keys()]) newest.current(id)
    }
    addEventListener('pagehide', flush)
    return () => {
      removeEventListener('pagehide', flush)
      flush()
    }
  }, [])
  return {
    leaving,
    revoke(rule: Rule): void {
      setLeaving((known) => new Set(known).add(rule.id))
      timers.current.set(
        rule.id,
        setTimeout(() => newest.current(rule.id), GRACE_MS),
      )
    },
    undo: settle,
  }
}
