/** The messages of `toasts.ts`, below on the page. They stay while the pointer or the focus is on them; F8 goes there. */
import { X } from 'lucide-react'
import { Toast as Primitive } from 'radix-ui'
import { useSyncExternalStore } from 'react'
import { useBanyan } from '../banyan.ts'
import { shell } from '../words/shell.ts'

/** Somebody who reads slowly, or undoes, needs longer than a glance. */
const PLAIN_MS = 6_000
const UNDO_MS = 10_000

export function Toasts() {
  const { toasts } = useBanyan()
  const shown = useSyncExternalStore(toasts.subscribe, toasts.shown)
  return (
    <Primitive.Provider label={shell.notifications}>
      {shown.map((toast) => (
        <Primitive.Root
          key={toast.id}
          className={`toast toast-${toast.tone}`}
          duration={toast.undo ? UNDO_MS : PLAIN_MS}
          type={toast.tone === 'bad' || toast.undo ? 'foreground' : 'background'}
          onOpenChange={(open) => {
            if (!open) toasts.drop(toast.id)
          }}
        >
          <Primitive.Description className="grow">{toast.text}</Primitive.Description>
          {toast.undo && (
            <Primitive.Action className="quiet small" altText={shell.undo} onClick={toast.undo}>
              {shell.undo}
            </Primitive.Action>
          )}
          <Primitive.Close className="quiet icon" aria-label={shell.close}>
            <X aria-hidden="true" />
          </Primitive.Close>
        </Primitive.Root>
      ))}
      <Primitive.Viewport className="toasts" label={shell.notifications} />
    </Primitive.Provider>
  )
}
