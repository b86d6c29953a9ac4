/** Every key that does something, with other keys in its place or none. */
import { Keyboard as Icon, Search } from 'lucide-react'
import { useEffect, useId, useRef, useState } from 'react'
import { type Action, keysOf, useKnownActions } from '../../actions.ts'
import { strokeOf } from '../../keys.ts'
import { usePrefs } from '../../prefs.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { isMac, Kbd } from '../../ui/kbd.tsx'
import { Switch } from '../../ui/switch.tsx'
import { settings } from '../../words/settings.ts'

const words = settings.keyboard
type Known = Omit<Action, 'run'>

export function Keyboard() {
  const actions = useKnownActions()
  const [prefs, setPrefs] = usePrefs()
  const toast = useToast()
  const id = useId()
  const [typed, setTyped] = useState('')
  const [changing, setChanging] = useState<Known | null>(null)
  const asked = typed.trim().toLowerCase()
  const found = actions.filter((one) => `${one.group} ${one.label}`.toLowerCase().includes(asked))
  const groups = [...new Set(found.map((one) => one.group))]
  const any = Object.keys(prefs.keys).length > 0
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <Switch label={words.on} hint={words.onHint} on={prefs.keysOn} set={(keysOn) => setPrefs({ keysOn })} />
      <div className="setting-head">
        <div className="search-box">
          <Search aria-hidden="true" />
          <label className="hidden" htmlFor={id}>
            {words.search}
          </label>
          <input
            id={id}
            type="search"
            value={typed}
            placeholder={words.searchPlaceholder}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        <span className="grow" />
        {any && (
          <Button
            onClick={() => {
              const before = prefs.keys
              setPrefs({ keys: {} })
              toast(words.reset, { undo: () => setPrefs({ keys: before }) })
            }}
          >
            {words.resetAll}
          </Button>
        )}
      </div>
      {found.length === 0 && <EmptyState icon={Icon} title={words.noFit} />}
      {groups.map((group) => (
        <section key={group} className="settings-part" aria-label={group}>
          <h2>{group}</h2>
          <ul className="setting-list">
            {found
              .filter((one) => one.group === group)
              .map((one) => {
                const keys = keysOf(one, prefs)
                return (
                  <li key={one.id} className="key-line">
                    <button type="button" className="key-button" onClick={() => setChanging(one)}>
                      <span className="grow">
                        <span className="hidden">{words.otherFor} </span>
                        {one.label}
                      </span>
                      {one.id in prefs.keys && <Badge tone="run">{words.own}</Badge>}
                      {keys ? <Kbd keys={keys} /> : <span className="dim">{words.none}</span>}
                    </button>
                  </li>
                )
              })}
          </ul>
        </section>
      ))}
      <Dialog
        open={changing !== null}
        setOpen={(open) => !open && setChanging(null)}
        title={changing ? words.change(changing.label) : ''}
        description={words.pressHint}
      >
        {changing && (
          <Change
            action={changing}
            all={actions}
            set={(keys) => {
              const { [changing.id]: _, ...rest } = prefs.keys
              setPrefs({ keys: keys === null ? rest : { ...rest, [changing.id]: keys } })
              setChanging(null)
            }}
          />
        )}
      </Dialog>
    </div>
  )
}

/** Longer than that between two keys, and the second begins anew. */
const SEQUENCE_MS = 1_200
const ALONE = ['shift', 'control', 'alt', 'meta', 'altgraph', 'capslock', 'tab', 'escape', 'enter', 'space']

/** `set(null)`: the usual key; `set('')`: none. */
function Change({ action, all, set }: { action: Known; all: readonly Known[]; set: (keys: string | null) => void }) {
  const [prefs] = usePrefs()
  const [strokes, setStrokes] = useState<readonly string[]>([])
  const last = useRef(0)
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  const keys = strokes.join(' ')
  const taken = keys === '' ? undefined : all.find((one) => one.id !== action.id && clash(keysOf(one, { ...prefs, keysOn: true }), keys))
  const press = (event: React.KeyboardEvent) => {
    const stroke = strokeOf(event.nativeEvent, isMac())
    if (ALONE.includes(stroke.split('+').at(-1) ?? '') || ALONE.includes(event.key.toLowerCase())) return
    event.preventDefault()
    const goesOn = strokes.length === 1 && Date.now() - last.current < SEQUENCE_MS
    last.current = Date.now()
    setStrokes(goesOn ? [...strokes, stroke] : [stroke])
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys, as a field does */}
      <div ref={place} className="press-keys" role="application" tabIndex={0} aria-label={words.press} onKeyDown={press}>
        {keys === '' ? <span className="dim">{words.press}</span> : <Kbd keys={keys} />}
      </div>
      <p className="field-error" role="status">
        {taken && words.taken(taken.label)}
      </p>
      <div className="actions">
        <Button look="primary" disabled={keys === '' || taken !== undefined} onClick={() => set(keys)}>
          {words.set}
        </Button>
        {action.id in prefs.keys && <Button onClick={() => set(null)}>{words.usual}</Button>}
        <Button onClick={() => set('')}>{words.off}</Button>
      </div>
    </>
  )
}
/** The same keys, or one the beginning of the other: the shorter would never wait for the longer. */
const clash = (a: string | undefined, b: string): boolean => a !== undefined && (a === b || a.startsWith(`${b} `) || b.startsWith(`${a} `))
