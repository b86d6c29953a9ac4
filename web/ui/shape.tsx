/** The shapes of `core/contract/label.ts` as drawings: not every machine has a font with all of those signs. */
import {
  Ban,
  Check,
  CircleDashed,
  CircleDollarSign,
  Clock,
  Eye,
  Flag,
  GitMerge,
  Hourglass,
  type LucideIcon,
  Pause,
  Play,
  RotateCw,
  SearchCheck,
  SkipForward,
  TimerOff,
  Undo2,
  X,
} from 'lucide-react'

const DRAWN: Readonly<Record<string, LucideIcon>> = {
  '◌': CircleDashed,
  '↻': RotateCw,
  '▶': Play,
  '⚑': Flag,
  '✎': SearchCheck,
  '⏲': Clock,
  '⧗': Hourglass,
  '¤': CircleDollarSign,
  '‖': Pause,
  '✓': Check,
  '⏱': TimerOff,
  '✕': X,
  '⤼': SkipForward,
  '⊘': Ban,
  '⑃': GitMerge,
  '◉': Eye,
  '↶': Undo2,
}

/** A sign that is not drawn yet is shown as it is. */
export function Drawn({ shape }: { shape: string }) {
  const Icon = DRAWN[shape]
  return Icon ? <Icon aria-hidden="true" /> : shape
}
