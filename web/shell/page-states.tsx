/** What stands in a page's place while its file is on its way, or when drawing it failed. */
import type { ErrorComponentProps } from '@tanstack/react-router'
import { sentence } from '../live.ts'
import { ErrorState } from '../ui/error-state.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { shell } from '../words/shell.ts'

export function PageLoading() {
  return (
    <div className="column">
      <Skeleton lines={6} label={shell.loading} />
    </div>
  )
}

export function PageFailed({ error, reset }: ErrorComponentProps) {
  // A file that is gone belongs to an older build: only loading anew brings the right ones.
  const gone = /dynamically imported module|importing a module/i.test(sentence(error))
  return (
    <div className="column">
      <ErrorState
        title={shell.failed.title}
        cause={sentence(error)}
        effect={shell.failed.effect}
        retry={gone ? () => location.reload() : reset}
        retryLabel={gone ? shell.failed.reload : shell.failed.retry}
      />
    </div>
  )
}
