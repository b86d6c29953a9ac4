/** What a read brought, or the state that it is in: its shape while it is on its way, why it failed, that it could not be read again. */
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { ApiFault } from '../api.ts'
import { kit } from '../words/kit.ts'
import { Button } from './button.tsx'
import { ErrorState } from './error-state.tsx'
import { Skeleton } from './skeleton.tsx'

export function Reading<T>(props: {
  read: Pick<UseQueryResult<T, ApiFault>, 'data' | 'error' | 'refetch'>
  /** For those who listen, while it is read. */
  label: string
  /** Title when it cannot be. */
  failed: string
  /** What that means for the person. */
  effect?: string
  lines?: number
  children: (data: T) => ReactNode
}) {
  const { data, error, refetch } = props.read
  if (data === undefined) {
    if (!error) return <Skeleton lines={props.lines ?? 4} label={props.label} />
    return (
      <ErrorState
        title={props.failed}
        cause={error.message}
        retry={() => void refetch()}
        {...(props.effect === undefined ? {} : { effect: props.effect })}
      />
    )
  }
  return (
    <>
      {error && (
        <p className="old-data" role="status">
          {kit.notAgain(error.message)}{' '}
          <Button look="quiet" small onClick={() => void refetch()}>
            {kit.retry}
          </Button>
        </p>
      )}
      {props.children(data)}
    </>
  )
}
