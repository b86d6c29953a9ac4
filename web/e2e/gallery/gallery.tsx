/** Every part of the kit on one page, for its test: what a part does is tried in a real browser under the real policy. */
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { setNonce } from 'get-nonce'
import { Ban } from 'lucide-react'
import { Tooltip as Primitive } from 'radix-ui'
import { useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createActions } from '../../actions.ts'
import { createApi, newKey } from '../../api.ts'
import { Banyan } from '../../banyan.ts'
import { startLive } from '../../live.ts'
import { createOutbox } from '../../outbox.ts'
import { createPrefs } from '../../prefs.ts'
import { createToasts, useToast } from '../../toasts.ts'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Field } from '../../ui/field.tsx'
import { Money } from '../../ui/money.tsx'
import { Popover } from '../../ui/popover.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Select } from '../../ui/select.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Splitter } from '../../ui/splitter.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { Switch } from '../../ui/switch.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { Toasts } from '../../ui/toast.tsx'
import '../../styles/tokens.css'
import '../../styles/base.css'
import '../../styles/kit.css'
import '../../styles/parts.css'

const LINES = Array.from({ length: 60 }, (_, i) => `line ${i}`)
const DUCKS = ['mallard', 'teal', 'pintail'].map((value) => ({ value, label: value.toUpperCase() }))

function Gallery() {
  const [text, setText] = useState('{"a": 1}')
  const [duck, setDuck] = useState('teal')
  const [tab, setTab] = useState('first')
  const [on, setOn] = useState(false)
  const [asking, setAsking] = useState(false)
  const [said, setSaid] = useState('nothing')
  const toast = useToast()
  return (
    <main className="column">
      <h1>Parts</h1>
      <output>{`${text}|${duck}|${tab}|${on}|${said}`}</output>
      <CodeEditor label="Some JSON" language="json" value={text} onChange={setText} />
      <CodeEditor label="Some Markdown" language="markdown" value={'# A title\n\nwith `code`'} />
      <DiffView
        files={[
          { path: 'long.yaml', before: LINES.join('\n'), after: LINES.with(30, 'line thirty').join('\n') },
          { path: 'new.md', before: null, after: '# New' },
        ]}
      />
      <AnsiText text={'\u001b[32mgreen\u001b[0m <b>not bold</b>'} />
      <div className="actions">
        <Select label="A duck" value={duck} options={DUCKS} choose={setDuck} />
        <Combobox label="A duck by typing" value={duck} options={DUCKS} choose={setDuck} />
        <Switch label="Switched" hint="With a hint" on={on} set={setOn} />
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete
        </Button>
        <Button onClick={() => toast('It is done', { undo: () => setSaid('undone') })}>Do it</Button>
        <CopyButton text="copied text" />
        <Popover trigger={<Button>More</Button>} label="More of it">
          Inside
        </Popover>
      </div>
      <Tabs
        label="Two"
        value={tab}
        choose={setTab}
        tabs={[
          { value: 'first', label: 'First', body: 'The first' },
          { value: 'second', label: 'Second', body: 'The second' },
        ]}
      />
      <Field label="A field" hint="A hint" error="It is empty">
        {(id, described) => <input id={id} {...described} />}
      </Field>
      <p>
        <Badge tone="good">badge</Badge> <StatusIcon task={{ status: 'waiting', reason: 'review', attempt: 0 }} withWord />{' '}
        <Money spend={{ costMicros: 1_500_000, unpricedCalls: 1, turns: 2 }} />{' '}
        <Money spend={{ costMicros: 0, unpricedCalls: 3, turns: 2 }} /> <RelativeTime at={new Date(Date.now() - 3_700_000).toISOString()} />
      </p>
      <EmptyState icon={Ban} title="Nothing" act={<Button look="primary">Make one</Button>}>
        Why
      </EmptyState>
      <ErrorState title="It failed" cause="The disk is full." effect="Nothing was lost." retry={() => setSaid('retried')} />
      <Skeleton label="Reading…" />
      <Splitter name="gallery" left={<p>left side</p>} right={<p>right side</p>} />
      <ConfirmDialog open={asking} setOpen={setAsking} title="Delete it?" yes="Delete it" word="teal" onYes={() => setSaid('deleted')}>
        It does not come back.
      </ConfirmDialog>
      <Toasts />
    </main>
  )
}

setNonce(document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '')
const api = createApi()
const live = startLive({ api, socketUrl: `${location.origin.replace(/^http/, 'ws')}/api/live?topics=1` })
const outbox = createOutbox({ api, who: async () => null, shelf: null, newKey })
const parts = { api, live, prefs: createPrefs(), actions: createActions(), toasts: createToasts(), outbox }
const router = createRouter({ routeTree: createRootRoute({ component: Gallery }), history: createMemoryHistory() })
createRoot(document.getElementById('root')!).render(
  <Banyan value={parts}>
    <Primitive.Provider>
      <RouterProvider router={router as never} />
    </Primitive.Provider>
  </Banyan>,
)
