/** Something did not work: what, why, what that means, and the next act. */
import { TriangleAlert } from 'lucide-react'
import { kit } from '../words/kit.ts'
import { Button } from './button.tsx'

export function ErrorState(props: { title: string; cause: string; effect?: string; retry?: () => void; retryLabel?: string }) {
  return (
    <div className="error-state" role="alert">
      <TriangleAlert aria-hidden="true" />
      <div>
        <p className="empty-title">{props.title}</p>
        <p>{props.cause}</p>
        {props.effect && <p className="dim">{props.effect}</p>}
        {props.retry && <Button onClick={props.retry}>{props.retryLabel ?? kit.retry}</Button>}
      </div>
    </div>
  )
}
