/** Small signs of an item: its kind and its risk, each by shape or word and not by colour alone. */
import {
  CircleDollarSign,
  CircleHelp,
  Flag,
  GitPullRequestArrow,
  HeartCrack,
  ListTree,
  LoaderCircle,
  type LucideIcon,
  ShieldQuestion,
  Unplug,
} from 'lucide-react'
import type { Review, ReviewKind } from '../../../core/contract/review.ts'
import { keysOf } from '../../actions.ts'
import { usePrefs } from '../../prefs.ts'
import { Badge } from '../../ui/badge.tsx'
import { Kbd } from '../../ui/kbd.tsx'
import { reviews as words } from '../../words/reviews.ts'

const ICONS: Record<ReviewKind, LucideIcon> = {
  permission: ShieldQuestion,
  question: CircleHelp,
  flag: Flag,
  budget: CircleDollarSign,
  dead_task: HeartCrack,
  in_doubt: Unplug,
  plan: ListTree,
  self_change: GitPullRequestArrow,
  stuck: LoaderCircle,
}
export function KindIcon({ kind }: { kind: ReviewKind }) {
  const Icon = ICONS[kind]
  return <Icon className="kind-icon" aria-hidden="true" />
}

const TONES = { low: 'idle', medium: 'you', high: 'bad' } as const
export function RiskBadge({ risk }: { risk: Review['risk'] }) {
  return <Badge tone={TONES[risk]}>{words.risks[risk]}</Badge>
}

/** The key of an act as it is now, printed on its button; nothing when keys are off. */
export function KeyOf({ id, keys }: { id: string; keys: string }) {
  const [prefs] = usePrefs()
  const now = keysOf({ id, keys }, prefs)
  return now ? (
    <span className="key-of" aria-hidden="true">
      <Kbd keys={now} />
    </span>
  ) : null
}
