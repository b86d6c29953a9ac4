/** A form for a tool's arguments, a field for each. */
import { useState } from 'react'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { Field } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { library } from '../../words/library.ts'
import type { Arg, Problem, Typed } from './schema.ts'

const words = library.tryTool
/** The library of the select takes no empty value. */
const UNSET = '~'

export function ArgsForm(props: {
  args: readonly Arg[]
  typed: Typed
  set: (name: string, text: string) => void
  problems: Readonly<Record<string, Problem>>
}) {
  const { args, typed, problems } = props
  // What was typed before stays in sight for as long as the page is open; moving a field while it is typed in would lose the focus.
  const [first] = useState(() => firstOf(args, typed))
  if (args.length === 0) return <p className="dim">{library.tool.noArguments}</p>
  const shown = args.filter((arg) => first.has(arg.name))
  const rest = args.filter((arg) => !first.has(arg.name))
  const one = (arg: Arg) => (
    <OneArg key={arg.name} arg={arg} text={typed[arg.name] ?? ''} set={(text) => props.set(arg.name, text)} problem={problems[arg.name]} />
  )
  return (
    <div className="args">
      {shown.map(one)}
      {rest.length > 0 && (
        <details>
          <summary>{words.more(rest.length)}</summary>
          <div className="args">{rest.map(one)}</div>
        </details>
      )}
    </div>
  )
}

/** The rest is behind "more": those that are needed, that something is typed for, and never fewer than the first three. */
const FIRST = 3
function firstOf(args: readonly Arg[], typed: Typed): ReadonlySet<string> {
  const wanted = args.filter((arg) => arg.required || typed[arg.name])
  return new Set([...wanted, ...args.slice(0, Math.max(0, FIRST - wanted.length))].map((arg) => arg.name))
}

function OneArg({ arg, text, set, problem }: { arg: Arg; text: string; set: (text: string) => void; problem: Problem | undefined }) {
  const error = problem === undefined ? null : words.problems[problem]
  const hint = [arg.about, arg.kind === 'lines' ? words.line : ''].filter(Boolean).join(' ')
  return (
    <Field label={arg.name} error={error} optional={!arg.required} {...(hint ? { hint } : {})}>
      {(id, described) => {
        const options = arg.kind === 'switch' ? ['true', 'false'] : arg.choices
        switch (arg.kind) {
          case 'choice':
          case 'switch':
            return (
              <Select
                id={id}
                value={text === '' ? UNSET : text}
                options={[
                  { value: UNSET, label: arg.preset === '' ? words.notSet : words.usual(words.yesNo[arg.preset] ?? arg.preset) },
                  ...options.map((value) => ({ value, label: arg.kind === 'switch' ? (words.yesNo[value] ?? value) : value })),
                ]}
                choose={(value) => set(value === UNSET ? '' : value)}
              />
            )
          case 'long':
          case 'lines':
            return (
              <textarea
                id={id}
                {...described}
                rows={arg.kind === 'lines' ? 2 : 3}
                value={text}
                spellCheck={false}
                onChange={(event) => set(event.target.value)}
              />
            )
          case 'json':
            return <CodeEditor label={`${arg.name}: ${arg.type}`} language="json" value={text} most={14} onChange={set} />
          default:
            return (
              <input
                id={id}
                {...described}
                value={text}
                spellCheck={false}
                autoComplete="off"
                placeholder={arg.preset}
                inputMode={arg.kind === 'whole' ? 'numeric' : arg.kind === 'number' ? 'decimal' : 'text'}
                onChange={(event) => set(event.target.value)}
              />
            )
        }
      }}
    </Field>
  )
}
