/** Every version of an entry: who saved it and what they changed, compared with any other, and brought back as a new one. */
import { useId } from 'react'
import { useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Fault } from '../../ui/notice.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Select } from '../../ui/select.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { library } from '../../words/library.ts'
import { Author } from './author.tsx'
import { type Body, type Kind, useEntryActs, useVersions } from './entries.ts'
import type { Editing } from './entry-page.tsx'
import { filesOf } from './files.ts'
import { changed } from './merge.ts'
import { VersionScores } from './version-scores.tsx'
import './scores.css'

export function History<K extends Kind>({ kind, editing }: { kind: K; editing: Editing<K> }) {
  const { id, ask, to } = editing
  const { data, error, refetch } = useVersions(kind, id)
  const acts = useEntryActs(kind)
  const { busy, fault, act } = useAct()
  const toast = useToast()
  const go = useGo()
  const heading = useId()
  if (!data) {
    return error ? (
      <ErrorState title={library.historyFailed} cause={error.message} retry={() => void refetch()} />
    ) : (
      <Skeleton lines={6} label={library.loadingOne} />
    )
  }
  const versions = data.items
  const body = (version: number) => versions.find((one) => one.version === version) as unknown as Body<K> | undefined
  const newest = versions[0]!.version
  const chosen = versions.find((one) => String(one.version) === ask.v) ?? versions[0]!
  const before = versions.find((one) => one.version < chosen.version)
  const base = ask.compare === '0' ? null : (versions.find((one) => String(one.version) === ask.compare) ?? before ?? null)
  const restore = (version: number) =>
    void act(async () => {
      const made = await acts.restore(id, version)
      go(to({ v: undefined, compare: undefined }), 'replace')
      toast(library.restored(version, made.version), { tone: 'good', undo: () => void act(() => acts.restore(id, newest)) })
    })
  return (
    <>
      <VersionScores
        kind={kind}
        id={id}
        newest={newest}
        busy={busy}
        pathOf={(version) => to({ tab: 'history', v: String(version), compare: undefined })}
        restore={restore}
      />
      <div className="history">
        <nav aria-label={library.history}>
          <ol className="versions">
            {versions.map((one, i) => {
              const older = versions[i + 1]
              return (
                <li key={one.version}>
                  <Link
                    to={to({ tab: 'history', v: String(one.version), compare: undefined })}
                    className="version"
                    aria-current={one.version === chosen.version ? 'true' : undefined}
                  >
                    <span className="version-name">
                      <strong>{library.version(one.version)}</strong>
                      {one.version === newest && <Badge tone="good">{library.newest}</Badge>}
                    </span>
                    <span className="facts">
                      <Author name={one.author} /> · <RelativeTime at={one.updatedAt} />
                    </span>
                    <span className="facts">
                      {older
                        ? library.changedFields(
                            changed(kind, older as unknown as Body<K>, one as unknown as Body<K>).map(
                              (field) => library.fieldNames[field] ?? field,
                            ),
                          )
                        : library.firstVersion}
                    </span>
                  </Link>
                </li>
              )
            })}
          </ol>
        </nav>
        <section className="stack" aria-labelledby={heading}>
          <div className="page-head">
            <h2 id={heading}>{library.version(chosen.version)}</h2>
            <div className="actions">
              <Select
                label={library.comparedWith}
                value={String(base?.version ?? 0)}
                options={[
                  ...versions
                    .filter((one) => one.version !== chosen.version)
                    .map((one) => ({ value: String(one.version), label: `${library.comparedWith}: ${library.shortVersion(one.version)}` })),
                  { value: '0', label: library.whole },
                ]}
                choose={(value) => go(to({ tab: 'history', v: String(chosen.version), compare: value }))}
              />
              {chosen.version !== newest && (
                <Button look="primary" disabled={busy} onClick={() => restore(chosen.version)} title={library.restoreHow}>
                  {library.restore(chosen.version)}
                </Button>
              )}
            </div>
          </div>
          {fault && <Fault>{fault}</Fault>}
          {base === null ? (
            filesOf(kind, null, body(chosen.version)!).map((file) => (
              <section key={file.path} className="stack">
                <h3>{file.path}</h3>
                <CodeEditor label={file.path} value={file.after ?? ''} language={file.language ?? 'text'} most={40} />
              </section>
            ))
          ) : (
            <DiffView key={`${chosen.version}/${base.version}`} files={filesOf(kind, body(base.version)!, body(chosen.version)!)} />
          )}
        </section>
      </div>
    </>
  )
}
