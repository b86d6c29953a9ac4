/** Says that something did not work, why, and what can be done. */
import type { ReactNode } from 'react'

export function Fault({ children, again }: { children: ReactNode; again?: () => void }) {
  return (
    <div className="fault" role="alert">
      <span className="shape" aria-hidden="true">
        ✕
      </span>
      <span>{children}</span>
      {again && (
        <button type="button" className="quiet" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Loading({ what }: { what: string }) {
  return (
    <p className="loading" role="status">
      Reading {what}…
    </p>
  )
}
