/** The panel in which a person asks Banyan about itself: one conversation with the same agent as `banyan ask`, and those before it. */
import { MessageCirclePlus } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { AskItem } from '../../../core/contract/api-asks.ts'
import { newKey } from '../../api.ts'
import { useNow } from '../../banyan.ts'
import { preview } from '../../format.ts'
import { useRead, useWrite } from '../../read.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Reading } from '../../ui/reading.tsx'
import { ask as words } from '../../words/ask.ts'
import { relativeTime } from '../../words/words.ts'
import './ask.css'
import { Exchange } from './exchange.tsx'

/** `given`: asked as soon as it is open, which `taken` tells. */
type Props = {
  open: boolean
  setOpen: (open: boolean) => void
  conversation: string | null
  setConversation: (id: string | null) => void
  given: string | null
  taken: () => void
}

export function AskPanel({ open, setOpen, ...rest }: Props) {
  return (
    <Dialog open={open} setOpen={setOpen} title={words.title} side="right" sends>
      <Panel {...rest} close={() => setOpen(false)} />
    </Dialog>
  )
}

function Panel({ conversation, setConversation, given, taken, close }: Omit<Props, 'open' | 'setOpen'> & { close: () => void }) {
  const [typed, setTyped] = useState('')
  const send = useWrite(ROUTES.ask, [ROUTES.asks])
  const end = useRef<HTMLDivElement>(null)
  const toEnd = () => {
    end.current?.scrollIntoView({ block: 'end' })
  }

  const say = (text: string) => {
    if (text.trim() === '' || send.isPending) return
    setTyped('')
    send.mutate(
      { body: { words: text, ...(conversation === null ? {} : { conversation }) }, headers: { 'idempotency-key': newKey() } },
      {
        onSuccess: ({ treeId }) => conversation === null && setConversation(treeId),
        // What could not be sent is not typed twice.
        onError: () => setTyped((now) => now || text),
      },
    )
  }
  const newest = useRef(say)
  newest.current = say
  useEffect(() => {
    if (given === null) return
    taken()
    newest.current(given)
  }, [given, taken])
  return (
    <div className="ask">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <section className="ask-log" aria-label={words.conversation} aria-live="polite" tabIndex={0}>
        {conversation === null ? (
          <Start say={say} show={setConversation} />
        ) : (
          <Conversation id={conversation} say={say} close={close} drawn={toEnd} />
        )}
        {send.isPending && send.variables && <p className="ask-words">{send.variables.body.words}</p>}
        <div ref={end} />
      </section>
      {send.error && <Fault>{words.notSent(send.error.message)}</Fault>}
      <form
        className="ask-box"
        onSubmit={(event) => {
          event.preventDefault()
          say(typed)
        }}
      >
        <textarea
          aria-label={words.box}
          placeholder={words.placeholder}
          rows={2}
          value={typed}
          // biome-ignore lint/a11y/noAutofocus: the panel was opened to write here
          autoFocus
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
            event.preventDefault()
            say(typed)
          }}
        />
        <Button look="primary" type="submit" disabled={typed.trim() === '' || send.isPending}>
          {words.send}
        </Button>
      </form>
      {conversation !== null && (
        <Button look="quiet" small className="ask-again" onClick={() => setConversation(null)}>
          <MessageCirclePlus aria-hidden="true" /> {words.again}
        </Button>
      )}
    </div>
  )
}

function Conversation(props: { id: string; say: (text: string) => void; close: () => void; drawn: () => void }) {
  const read = useRead(ROUTES.asks, { query: { conversation: props.id, limit: '50' } }, { follow: true })
  const { drawn } = props
  const shape = JSON.stringify(read.data?.items.map((one) => [one.id, one.answer, one.acts.length]))
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was added is looked at
  useEffect(drawn, [shape])
  return (
    <Reading read={read} label={words.loading} failed={words.failed}>
      {({ items }) => (
        <ol className="ask-exchanges">
          {[...items].reverse().map((ask) => (
            <Exchange key={ask.id} ask={ask} say={props.say} close={props.close} drawn={drawn} />
          ))}
        </ol>
      )}
    </Reading>
  )
}

/** Conversations before, the newest first, each by its first words. */
function Start({ say, show }: { say: (text: string) => void; show: (conversation: string) => void }) {
  const { data } = useRead(ROUTES.asks, { query: { limit: '50' } }, { follow: true })
  const now = useNow()
  const earlier = Map.groupBy(data?.items ?? [], (ask: AskItem) => ask.conversation)
  return (
    <div className="ask-start">
      <p className="empty-title">{words.fresh}</p>
      <p className="dim">{words.freshMore}</p>
      <ul className="ask-examples">
        {words.examples.map((example) => (
          <li key={example}>
            <Button onClick={() => say(example)}>{example}</Button>
          </li>
        ))}
      </ul>
      {earlier.size > 0 && (
        <section aria-labelledby="ask-earlier">
          <h3 id="ask-earlier">{words.earlier}</h3>
          <ul className="ask-earlier">
            {[...earlier].map(([id, asks]) => (
              <li key={id}>
                <button type="button" className="quiet" onClick={() => show(id)}>
                  <span className="ask-earlier-words">{preview(asks.at(-1)!.words, 120)}</span>
                  <span className="dim">
                    {asks.length > 1 && `${words.count(asks.length)} · `}
                    {relativeTime(asks[0]!.createdAt, now)}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}
