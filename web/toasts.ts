/** Short messages that come and go. One may offer to undo what it tells; it is not the only place where a failure is told. */
import { useBanyan } from './banyan.ts'

export type Toast = { id: number; text: string; tone: 'plain' | 'good' | 'bad'; undo?: (() => void) | undefined }
export type ToastStore = ReturnType<typeof createToasts>

/** More than these at once nobody reads. */
const MOST = 4

export function createToasts() {
  let shown: readonly Toast[] = []
  let next = 1
  const listeners = new Set<() => void>()
  const set = (toasts: readonly Toast[]) => {
    shown = toasts
    for (const listener of listeners) listener()
  }
  return {
    shown: () => shown,
    show(text: string, how: { tone?: Toast['tone']; undo?: () => void } = {}): void {
      set([...shown, { id: next++, text, tone: how.tone ?? 'plain', ...(how.undo ? { undo: how.undo } : {}) }].slice(-MOST))
    },
    drop(id: number): void {
      set(shown.filter((toast) => toast.id !== id))
    },
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** `toast('Saved', { undo })`. */
export function useToast(): ToastStore['show'] {
  return useBanyan().toasts.show
}
