/** How long ago or ahead a time is; the exact time on hover. */
import { useNow } from '../banyan.ts'
import { dayAndTime, relativeTime } from '../words/words.ts'

export function RelativeTime({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={dayAndTime(at)}>
      {relativeTime(at, now)}
    </time>
  )
}
