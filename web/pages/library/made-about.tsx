/** A tool that an agent made: what it may touch, how its tests went, its source, and whether a person answers for it. */
import { useQueryClient } from '@tanstack/react-query'
import { ROUTES } from '../../../core/contract/api.ts'
import type { MadeTool } from '../../../core/contract/made-tool.ts'
import { useActions } from '../../actions.ts'
import { useBanyan } from '../../banyan.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Fault } from '../../ui/notice.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { library } from '../../words/library.ts'
import type { DetailOf } from './entries.ts'
import { partsOf } from './files.ts'

const words = library.made

export function MadeAbout({ item, made }: { item: DetailOf['tool']; made: MadeTool }) {
  const { api } = useBanyan()
  const queries = useQueryClient()
  const toast = useToast()
  const { busy, fault, act } = useAct()
  const states = item.states ?? []
  const state = states.find((one) => one.version === item.version)
  const before = states.find((one) => one.version < item.version && one.sha !== state?.sha && one.broken === null)
  const changed = () =>
    Promise.all([ROUTES.tools, ROUTES.tool, ROUTES.toolVersions].map(({ path }) => queries.invalidateQueries({ queryKey: [path] })))
  const approve = () =>
    void act(async () => {
      await api.call(ROUTES.approveTool, { params: { id: item.id }, body: { version: item.version } })
      await changed()
      toast(words.approvedNow(item.name, item.version), { tone: 'good' })
    })
  const rollback = () =>
    void act(async () => {
      const now = await api.call(ROUTES.rollbackTool, { params: { id: item.id }, body: { to: before!.version } })
      await changed()
      toast(words.rolledBack(now.version), { tone: 'good' })
    })
  const mayApprove = state !== undefined && state.approvedBy === null
  useActions([
    ...(mayApprove ? [{ id: 'tool.approve', label: words.approve, group: library.group, keys: 'a', run: approve }] : []),
    ...(before ? [{ id: 'tool.rollback', label: words.rollback(before.version), group: library.group, keys: 'z', run: rollback }] : []),
  ])
  return (
    <>
      <section className="card stack">
        <div className="page-head">
          <h2>{words.title}</h2>
          <div className="actions">
            {before && (
              <Button disabled={busy} onClick={rollback} title={library.restoreHow}>
                {words.rollback(before.version)}
              </Button>
            )}
            {mayApprove && (
              <Button look="primary" disabled={busy} onClick={approve} title={words.approveHow}>
                {words.approve}
              </Button>
            )}
          </div>
        </div>
        {fault && <Fault>{fault}</Fault>}
        <p>
          <Badge tone={made.permission === 'write_workspace' ? 'wait' : 'good'}>{made.permission}</Badge>{' '}
          {words.permissions[made.permission]}
        </p>
        <p>
          {state?.approvedBy ? words.approved(state.approvedBy) : words.notApproved}{' '}
          <Link to={`/t/${encodeURIComponent(made.treeId)}`}>{words.goal}</Link>
        </p>
        {state?.broken && <p className="field-warning">{words.broken(state.broken)}</p>}
        {state && (
          <>
            <p className="facts">
              <Badge tone={state.trial.failed === 0 ? 'good' : 'bad'}>{words.tests(state.trial.passed, state.trial.failed)}</Badge>{' '}
              <RelativeTime at={state.testedAt} /> · {words.runs(state.runs)}
            </p>
            <details>
              <summary>{words.report}</summary>
              <LongText text={state.trial.report} />
            </details>
          </>
        )}
      </section>
      {Object.entries(partsOf(item)).map(([path, text]) => (
        <section key={path} className="card stack">
          <h2>{path}</h2>
          <CodeEditor label={path} value={text} language={path.endsWith('.json') ? 'json' : 'text'} most={30} />
        </section>
      ))}
    </>
  )
}
