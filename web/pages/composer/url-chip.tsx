/** A file of the web: its address is given, Banyan fetches it. */
import { Globe } from 'lucide-react'
import { useState } from 'react'
import { FETCH_LIMIT } from '../../../core/contract/api-goals.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Popover } from '../../ui/popover.tsx'
import { composer as words } from '../../words/composer.ts'
import { Chip } from './chip.tsx'

export function UrlChip(props: { fetch: (url: string) => void; open: boolean; setOpen: (open: boolean) => void }) {
  const [typed, setTyped] = useState('')
  const [asked, setAsked] = useState(false)
  const url = typed.trim()
  const isWhole = /^https?:\/\/[^\s/]/i.test(url)
  return (
    <Popover
      label={words.attachUrl}
      open={props.open}
      setOpen={props.setOpen}
      trigger={<Chip icon={Globe} name={words.attachUrl} aria-label={words.attachUrl} />}
    >
      <form
        className="stack url-form"
        onSubmit={(event) => {
          event.preventDefault()
          event.stopPropagation() // it stands within the form of the goal
          setAsked(!isWhole)
          if (!isWhole) return
          props.fetch(url)
          setTyped('')
          props.setOpen(false)
        }}
      >
        <Field label={words.urlLabel} hint={words.urlHint(FETCH_LIMIT)} error={asked && !isWhole ? words.urlWrong : null}>
          {(id, described) => (
            <input
              id={id}
              {...described}
              inputMode="url"
              autoComplete="off"
              placeholder={words.urlExample}
              maxLength={2_048}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" disabled={url === ''}>
          {words.urlAdd}
        </Button>
      </form>
    </Popover>
  )
}
