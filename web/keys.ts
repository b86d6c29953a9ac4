/**
 * From keys that are pressed to the act that they start. Own code and not react-hotkeys-hook, which in its 5.4 does not know a sequence
 * with Caps Lock on, starts both `g r` and `r`, and asks neither for a dialog nor for an input method before a sequence. Pure but for the clock.
 */
export type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/** How long the second key of a sequence may take. */
const SEQUENCE_MS = 1_200

/** One press in the words of a binding: `shift+c`, `mod+k`, `?`. Letters are lower case; shift counts with letters and named keys only. */
export function strokeOf(event: Pressed, isMac: boolean): string {
  const key = event.key === ' ' ? 'space' : event.key.toLowerCase()
  const letter = key.length > 1 || key.toUpperCase() !== key
  const mod = isMac ? event.metaKey : event.ctrlKey
  const other = isMac ? event.ctrlKey : event.metaKey
  return [mod && 'mod', other && (isMac ? 'ctrl' : 'meta'), event.altKey && 'alt', event.shiftKey && letter && 'shift', key]
    .filter(Boolean)
    .join('+')
}

/** Keeps the keys of a sequence that has begun. `press` answers the binding that is complete, or null. */
export function createSequences(isMac: boolean, now: () => number = Date.now) {
  let begun: string[] = []
  let last = 0
  return {
    press(event: Pressed, bindings: readonly string[]): string | null {
      if (['shift', 'control', 'alt', 'meta', 'altgraph', 'capslock'].includes(event.key.toLowerCase())) return null
      const stroke = strokeOf(event, isMac)
      if (now() - last > SEQUENCE_MS) begun = []
      last = now()
      // A sequence that has begun and does not go on this way is forgotten, and the key counts by itself.
      for (const strokes of begun.length > 0 ? [[...begun, stroke], [stroke]] : [[stroke]]) {
        const words = strokes.join(' ')
        const longer = bindings.some((binding) => binding.startsWith(`${words} `))
        const whole = bindings.find((binding) => binding === words)
        begun = longer ? strokes : []
        if (whole !== undefined && !longer) return whole
        if (longer) return null
      }
      return null
    },
  }
}

/**
 * A letter in a text field is a letter, Enter on a button presses it, a key in an open dialog or menu belongs to that, an input method is composing words. With Ctrl or
 * Command a text field keeps no key that is bound here.
 */
export function isForSomethingElse(event: KeyboardEvent, withMod: boolean): boolean {
  if (event.defaultPrevented || event.isComposing || event.key === 'Process' || event.repeat) return true
  if (isCovered()) return true
  const at = event.target instanceof HTMLElement ? event.target : null
  if (withMod || at === null) return false
  // Enter and Space are how a keyboard presses what has the focus.
  if ((event.key === 'Enter' || event.key === ' ') && at.closest(PRESSED) !== null) return true
  return at.isContentEditable || at.closest(WRITES) !== null
}
/** Whether a dialog, a menu or a list of choices lies over the page and has the keys. */
export const isCovered = (): boolean => document.querySelector(OVER_ALL) !== null
const OVER_ALL = '[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"], dialog[open]'
const PRESSED = 'a[href], button, summary, [role="button"], [role="link"], [role="tab"], [role="switch"], [role="checkbox"], [role="radio"]'
const WRITES = 'input, textarea, select, [role="textbox"], [role="combobox"], .cm-editor'
