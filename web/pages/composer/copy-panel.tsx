/** Exactly what the composer would run, as a command to copy. */
import { Terminal } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Popover } from '../../ui/popover.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { composer as words } from '../../words/composer.ts'
import { asCommand, asRequest, asToolCall } from './copy-as.ts'
import type { Body, Sending } from './draft.ts'

export function CopyPanel(props: {
  sending: Sending
  files: readonly string[]
  from: string | undefined
  open: boolean
  setOpen: (open: boolean) => void
}) {
  const [tab, setTab] = useState('command')
  const { sending, from } = props
  return (
    <Popover
      label={words.copyTitle}
      open={props.open}
      setOpen={props.setOpen}
      trigger={
        <Button look="quiet" small className="copy-as">
          <Terminal aria-hidden="true" /> {words.copyAs}
        </Button>
      }
    >
      {sending.ok ? (
        <Tabs
          label={words.copyTitle}
          value={tab}
          choose={setTab}
          tabs={[
            {
              value: 'command',
              label: words.copyCommand,
              body:
                from === undefined ? (
                  <Text text={asCommand(sending.body, props.files)} hint={props.files.length > 0 ? words.copyCommandHint : undefined} />
                ) : (
                  <p className="dim">{words.copyNoCommand}</p>
                ),
            },
            {
              value: 'request',
              label: words.copyRequest,
              body: <Text text={asRequest(sending.body, location.origin, from)} hint={words.copyRequestHint} />,
            },
            {
              value: 'tool',
              label: words.copyTool,
              body: from === undefined ? <ToolCall body={sending.body} /> : <p className="dim">{words.copyNoTool}</p>,
            },
          ]}
        />
      ) : (
        <p className="dim">{sending.wrong.why || words.copyNothing}</p>
      )}
    </Popover>
  )
}

function ToolCall({ body }: { body: Body }) {
  const { text, left } = asToolCall(body)
  return <Text text={text} hint={left.length > 0 ? words.copyToolLeft(left) : words.copyToolHint} />
}

function Text({ text, hint }: { text: string; hint: string | undefined }) {
  return (
    <div className="copy-text">
      <textarea readOnly rows={7} value={text} aria-label={words.copyTitle} spellCheck={false} />
      <CopyButton text={text} />
      {hint && <p className="dim">{hint}</p>}
    </div>
  )
}
