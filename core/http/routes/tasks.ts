/** One task: what it is, its history, and what a person may do to it. */
import { Fault } from '../../contract/fault.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Asked, Handlers } from '../router.ts'

type Verb = 'cancel' | 'abort' | 'pause' | 'resume' | 'step' | 'retry' | 'steer' | 'rerun'

export function taskRoutes(tasks: Tasks): Pick<Handlers, 'task' | 'messages' | 'prompt' | Verb> {
  const control =
    (verb: Verb) =>
    ({ param, body, by }: Asked<Verb>) =>
      tasks.control(param('id'), { ...body, verb, by: by.name })
  return {
    task: ({ param }) => tasks.task(param('id')),
    async messages({ param, query: { after, limit } }) {
      const { id } = await tasks.task(param('id'))
      const items = await tasks.messages(id, after, limit + 1)
      const more = items.length > limit
      if (more) items.pop()
      return { items, nextCursor: more ? String(items.at(-1)!.n) : null }
    },
    async prompt({ param }) {
      const text = await tasks.prompt(param('hash'))
      if (text === null) throw new Fault('not_found', 'There is no system prompt with that hash.')
      return { hash: param('hash'), text }
    },
    cancel: control('cancel'),
    abort: control('abort'),
    pause: control('pause'),
    resume: control('resume'),
    step: control('step'),
    retry: control('retry'),
    steer: control('steer'),
    async rerun(asked) {
      const { restoreFiles, ...body } = asked.body
      if (restoreFiles)
        throw new Fault('unprocessable', 'Files are not kept per message, so they cannot be put back; leave restoreFiles out.')
      return control('rerun')({ ...asked, body })
    },
  }
}
