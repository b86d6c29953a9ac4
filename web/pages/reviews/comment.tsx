/** The words that go with a decision. Enter sends them. */
import { useEffect, useRef, useState } from 'react'
import type { DecisionWord } from '../../../core/contract/review.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { reviews as words } from '../../words/reviews.ts'
import type { Hand } from './decision.tsx'

export function Comment(props: {
  word: DecisionWord
  /** Of the button that sends. */
  send: string
  needed: boolean
  value: string
  /** It was asked for just now, so the next letter belongs to it. */
  focus: boolean
  change: (value: string) => void
  close: () => void
  done: (by: Hand) => void
}) {
  const [missing, setMissing] = useState(false)
  const box = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    if (props.focus) box.current?.focus()
  }, [props.focus])
  const send = (by: Hand) => {
    if (props.needed && props.value.trim() === '') {
      setMissing(true)
      box.current?.focus()
    } else props.done(by)
  }
  return (
    <div className="review-comment">
      <Field label={words.decide.comment[props.word]} hint={words.decide.commentHint} error={missing ? words.decide.commentNeeded : null}>
        {(id, described) => (
          <textarea
            id={id}
            {...described}
            ref={box}
            rows={2}
            maxLength={20_000}
            value={props.value}
            onChange={(event) => {
              setMissing(false)
              props.change(event.target.value)
            }}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return
              if (event.key === 'Escape') {
                event.preventDefault()
                props.close()
              } else if (event.key === 'Enter' && !event.shiftKey) {
                event.preventDefault()
                send('key')
              }
            }}
          />
        )}
      </Field>
      <div className="review-buttons">
        <Button look={props.word === 'reject' ? 'danger' : 'primary'} onClick={(event) => send(event.detail === 0 ? 'key' : 'pointer')}>
          {props.send}
        </Button>
        <Button onClick={props.close}>{words.decide.close}</Button>
      </div>
    </div>
  )
}
