/** Asks before what cannot be undone. The browser's own dialog: focus stays inside, Escape says no. */
import { type ReactNode, useEffect, useRef } from 'react'

export function Confirm(props: { title: string; children: ReactNode; yes: string; onYes: () => void; onNo: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={props.onNo} aria-labelledby="confirm-title">
      <h2 id="confirm-title">{props.title}</h2>
      <div>{props.children}</div>
      <div className="actions">
        <button type="button" className="danger" onClick={props.onYes}>
          {props.yes}
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Keep it
        </button>
      </div>
    </dialog>
  )
}
