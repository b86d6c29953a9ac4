/** Colours, density and motion of this browser. */
import { usePrefs } from '../../prefs.ts'
import { useTheme } from '../../theme.ts'
import { Status } from '../../ui/status.tsx'
import { settings } from '../../words/settings.ts'
import { shell } from '../../words/shell.ts'
import { Choice } from './choice.tsx'

const words = settings.appearance
const optionsOf = <T extends string>(labels: Readonly<Record<T, string>>) =>
  (Object.entries(labels) as [T, string][]).map(([value, label]) => ({ value, label }))
const SAMPLES = [
  { status: 'active', reason: null, attempt: 0 },
  { status: 'waiting', reason: 'review', attempt: 0 },
  { status: 'done', reason: null, attempt: 0 },
  { status: 'failed', reason: 'error', attempt: 0 },
] as const

export function Appearance() {
  const [theme, setTheme] = useTheme()
  const [prefs, setPrefs] = usePrefs()
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <section className="card setting-card">
        <Choice label={words.theme} value={theme} options={optionsOf(shell.themes)} choose={setTheme} />
        <Choice
          label={words.density}
          value={prefs.density}
          options={optionsOf(shell.densities)}
          choose={(density) => setPrefs({ density })}
        />
        <Choice label={words.motion} value={prefs.motion} options={optionsOf(words.motions)} choose={(motion) => setPrefs({ motion })} />
      </section>
      <section className="card setting-card" aria-labelledby="sample">
        <h2 id="sample">{words.sample}</h2>
        <ul className="setting-list">
          {SAMPLES.map((task) => (
            <li key={task.status} className="setting-row sample-row">
              <Status task={task} />
              <span className="grow">{words.sampleTitle}</span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  )
}
