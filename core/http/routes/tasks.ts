/** One task: what it is, its history, and what a person may do to it. */
import { Fault } from '../../contract/fault.ts'
import { isOver } from '../../contract/task.ts'
import type { History } from '../../exec/history/shapes.ts'
import { replaces } from '../../tasks/control.ts'
import { previewOf } from '../../tasks/previews.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Asked, Handlers } from '../router.ts'

/** Characters of each text in a preview. */
const PREVIEW = 2_000

type Verb = 'cancel' | 'abort' | 'pause' | 'resume' | 'step' | 'retry' | 'steer' | 'rerun'

export function taskRoutes(
  tasks: Tasks,
  history: Pick<History, 'undoFrom' | 'changedFrom'>,
  /** A Fault says what is wrong with the name of a model. */
  checkModel: (name: string) => void,
): Pick<Handlers, 'rerunPreview' | 'task' | 'messages' | 'prompt' | Verb> {
  const control =
    (verb: Verb) =>
    ({ param, body, by, key }: Asked<Verb>) =>
      tasks.control(param('id'), { ...body, verb, by: by.name }, key)
  return {
    task: ({ param }) => tasks.task(param('id')),
    async messages({ param, query: { after, limit, preview } }) {
      const { id } = await tasks.task(param('id'))
      const items = await tasks.messages(id, after, limit + 1)
      const more = items.length > limit
      if (more) items.pop()
      const shown = preview ? items.map((message) => previewOf(message, PREVIEW)) : items
      return { items: shown, nextCursor: more ? String(items.at(-1)!.n) : null }
    },
    async prompt({ param }) {
      const text = await tasks.prompt(param('hash'))
      if (text === null) throw new Fault('not_found', 'There is no system prompt with that hash.')
      return { hash: param('hash'), text }
    },
    async rerunPreview({ param, query: { from } }) {
      const { id, treeId } = await tasks.task(param('id'))
      const { tasks: all } = await tasks.tree(treeId)
      const stops = all.filter((task) => task.id.startsWith(`${id}.`) && !isOver(task.status)).map(({ id, title }) => ({ id, title }))
      const [there] = await tasks.messages(id, from - 1, 1)
      return { files: await history.changedFrom({ taskId: id, from }), stops, replaces: there ? replaces(there, from) : null }
    },
    cancel: control('cancel'),
    abort: control('abort'),
    pause: control('pause'),
    resume: control('resume'),
    step: control('step'),
    retry: control('retry'),
    steer: control('steer'),
    /** With `restoreFiles` the task is held, its files are put back, and then it goes on: it never runs on files of both times. */
    async rerun(asked) {
      const { restoreFiles, model, ...rest } = asked.body
      const id = asked.param('id')
      const by = asked.by.name
      if (model !== undefined && model !== 'default') checkModel(model)
      const body = { ...rest, ...(model === undefined ? {} : { model: model === 'default' ? null : model }) }
      if (!restoreFiles) return tasks.control(id, { ...body, verb: 'rerun', by })
      const held = await tasks.control(id, { ...body, verb: 'rerun', by, hold: true })
      const { conflicts } = await history.undoFrom({ taskId: id, from: body.from ?? 1, by })
      if (conflicts.length > 0) await tasks.control(id, { verb: 'steer', by, message: leftAsTheyAre(conflicts) })
      const { mode } = await tasks.tree(held.treeId)
      if (held.status !== 'paused' || held.reason !== 'person' || mode === 'step') return tasks.task(id)
      return tasks.control(id, { verb: 'resume', by, scope: 'node' })
    },
  }
}

function leftAsTheyAre(conflicts: readonly { path: string; why: string }[]): string {
  const lines = conflicts.slice(0, 50).map(({ path, why }) => `- ${path || 'a folder'}: ${why}`)
  return `Files were put back to what they were before that message, but these were left as they are:\n${lines.join('\n')}${conflicts.length > 50 ? `\n- and ${conflicts.length - 50} more` : ''}`
}
