/** Every key that does something now, from the same list that the keys themselves are from. */
import { keysOf, useAllActions } from '../actions.ts'
import { usePrefs } from '../prefs.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Kbd } from '../ui/kbd.tsx'
import { shell } from '../words/shell.ts'

export function KeySheet({ open, setOpen }: { open: boolean; setOpen: (open: boolean) => void }) {
  const actions = useAllActions()
  const [prefs, setPrefs] = usePrefs()
  const bound = actions.flatMap((action) => {
    const keys = keysOf(action, prefs)
    return keys ? [{ ...action, keys }] : []
  })
  const groups = [...new Set(bound.map((action) => action.group))]
  return (
    <Dialog open={open} setOpen={setOpen} title={shell.keys.title} size="large">
      <div className="key-sheet">
        {groups.map((group) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {bound
                .filter((action) => action.group === group)
                .map((action) => (
                  <div key={action.id}>
                    <dt>{action.label}</dt>
                    <dd>
                      <Kbd keys={action.keys} />
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="actions">
        {!prefs.keysOn && <span className="dim">{shell.keys.off}</span>}
        <Button look="quiet" onClick={() => setPrefs({ keysOn: !prefs.keysOn })}>
          {prefs.keysOn ? shell.keys.switchOff : shell.keys.on}
        </Button>
      </p>
    </Dialog>
  )
}
