/** Somebody saved a newer version, and both changed the same parts: the person says for each part whose it is. */
import { GitMerge } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { library } from '../../words/library.ts'
import { useAuthorWords } from './author.tsx'
import type { Draft } from './draft.ts'
import type { DetailOf, Kind } from './entries.ts'

export function Conflict<K extends Kind>({ kind, item, draft }: { kind: K; item: DetailOf[K]; draft: Draft<K> }) {
  const [theirs, setTheirs] = useState<readonly string[]>([])
  const author = useAuthorWords()
  const text = (value: unknown) => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, 2))
  return (
    <section className="conflict" aria-labelledby="conflict-title" data-kind={kind}>
      <h2 id="conflict-title">
        <GitMerge aria-hidden="true" /> {library.conflict(item.version, author(item.author))}
      </h2>
      <p>{library.conflictHow}</p>
      {draft.conflicts.map((field) => {
        const taken = theirs.includes(field)
        const name = library.fieldNames[field] ?? field
        return (
          <fieldset key={field} className="conflict-part">
            <legend>{name}</legend>
            <DiffView
              files={[
                {
                  path: name,
                  before: text((item as unknown as Record<string, unknown>)[field]),
                  after: text(draft.body[field]),
                  language: field === 'instruction' || field === 'content' ? 'markdown' : 'text',
                },
              ]}
            />
            <div className="actions">
              <Button aria-pressed={!taken} onClick={() => setTheirs(theirs.filter((one) => one !== field))}>
                {library.keepMine}
              </Button>
              <Button aria-pressed={taken} onClick={() => setTheirs([...theirs.filter((one) => one !== field), field])}>
                {library.takeTheirs}
              </Button>
            </div>
          </fieldset>
        )
      })}
      <div className="actions">
        <Button look="primary" onClick={() => draft.resolve(theirs)}>
          {library.mergeNow}
        </Button>
        <Button look="danger" onClick={draft.discard}>
          {library.discardAll}
        </Button>
      </div>
    </section>
  )
}
