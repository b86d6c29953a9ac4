/** Several of many by name: those chosen stand as a list, the others are found by typing. */
import { Command } from 'cmdk'
import { Check, Plus, X } from 'lucide-react'
import { useId, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { Popover } from '../../ui/popover.tsx'
import { kit } from '../../words/kit.ts'
import { library } from '../../words/library.ts'
import type { FieldProblems } from './problems.ts'

export type Choice = { value: string; about: string; off?: boolean }

/** A name that begins with what is typed is meant before one that holds it, and that before words of what it is about. */
function rank(name: string, typed: string, about: readonly string[] = []): number {
  const words = typed.trim().toLowerCase()
  if (name.startsWith(words)) return 1
  if (name.includes(words)) return 0.7
  return about.join(' ').toLowerCase().includes(words) ? 0.3 : 0
}

export function Picker(props: {
  label: string
  hint: string
  chosen: readonly string[]
  choices: readonly Choice[]
  set: (chosen: string[]) => void
  problems: FieldProblems
  pathOf: (name: string) => string
}) {
  const { label, chosen, choices, problems } = props
  const [open, setOpen] = useState(false)
  const id = useId()
  const toggle = (name: string) => props.set(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name])
  return (
    <fieldset className="picker" aria-describedby={`${id}-hint`}>
      <legend>{label}</legend>
      <p id={`${id}-hint`} className="dim field-hint">
        {props.hint}
      </p>
      <ul className="picked">
        {chosen.map((name, i) => {
          const problem = problems.at.get(i)
          return (
            <li key={name} className={problem ? 'picked-one picked-bad' : 'picked-one'}>
              <Link to={props.pathOf(name)}>{name}</Link>
              <button type="button" className="quiet icon" aria-label={library.takeAway(name)} onClick={() => toggle(name)}>
                <X aria-hidden="true" />
              </button>
              {problem && <span className="picked-problem">{problem}</span>}
            </li>
          )
        })}
        <li>
          <Popover
            label={label}
            open={open}
            setOpen={setOpen}
            trigger={
              <Button className="with-icon" aria-label={library.addTo(label)}>
                <Plus aria-hidden="true" /> {library.add}
              </Button>
            }
          >
            <Command label={label} className="picker-menu" filter={rank}>
              <Command.Input placeholder={kit.filter} />
              <Command.List label={label}>
                <Command.Empty>{kit.nothingFits}</Command.Empty>
                {choices.map((choice) => (
                  <Command.Item key={choice.value} value={choice.value} keywords={[choice.about]} onSelect={() => toggle(choice.value)}>
                    <span className="grow">
                      {choice.value} {choice.off && <span className="dim">({library.off})</span>}
                      <span className="dim menu-hint picker-about">{choice.about}</span>
                    </span>
                    {chosen.includes(choice.value) && <Check aria-label={kit.added} />}
                  </Command.Item>
                ))}
              </Command.List>
            </Command>
          </Popover>
        </li>
      </ul>
      {problems.error && (
        <p className="field-error" role="alert">
          {problems.error}
        </p>
      )}
    </fieldset>
  )
}
