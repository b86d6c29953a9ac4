/** Keys as they are printed on the keyboard: `mod+k` is ⌘K or Ctrl K, `g r` is one after the other. */
import { Fragment } from 'react'
import { shell } from '../words/shell.ts'

export const isMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform)

const NAMES: Record<string, string> = {
  enter: '↵',
  escape: 'Esc',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
  shift: '⇧',
  space: '␣',
}

function nameOf(key: string): string {
  if (key === 'mod') return isMac() ? '⌘' : 'Ctrl'
  if (key === 'alt') return isMac() ? '⌥' : 'Alt'
  return NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key)
}

export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="keys">
      {keys.split(' ').map((stroke, i) => (
        <Fragment key={stroke}>
          {i > 0 && <span className="hidden"> {shell.keys.next} </span>}
          <kbd>{(stroke === '+' ? ['+'] : stroke.split('+')).map(nameOf).join(' ')}</kbd>
        </Fragment>
      ))}
    </span>
  )
}
