/** Goals given again: past ones, and templates. */
import type { Selectable } from 'kysely'
import { GoalRequest } from '../../contract/api-goals.ts'
import { type Template, TemplateBody } from '../../contract/api-templates.ts'
import { Fault } from '../../contract/fault.ts'
import type { Budget } from '../../contract/limits.ts'
import { filled, placesIn } from '../../contract/places.ts'
import { GoalRule } from '../../contract/policy.ts'
import { Name } from '../../contract/registry.ts'
import type { Store } from '../../store/store.ts'
import type { Database } from '../../store/tables.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Auth } from '../auth.ts'
import { inShape } from '../read-body.ts'
import type { Asked, Handlers } from '../router.ts'
import type { SubmitGoal } from './goals.ts'

type Names = 'fork' | 'templates' | 'template' | 'saveTemplate' | 'removeTemplate' | 'keepAsTemplate' | 'runTemplate'

export function templateRoutes(parts: { store: Store; tasks: Tasks; auth: Auth; submitGoal: SubmitGoal }): Pick<Handlers, Names> {
  const { store, tasks } = parts

  async function find(name: string): Promise<Template> {
    const row = await store.db.selectFrom('templates').selectAll().where('name', '=', name).executeTakeFirst()
    if (!row) throw new Fault('not_found', `There is no template ${name.slice(0, 64)}.`)
    return toTemplate(row)
  }
  async function save(name: string, body: TemplateBody, by: string): Promise<Template> {
    await store.transact(
      (tx) =>
        tx.db
          .insertInto('templates')
          .values({ name: inShape(Name, name, 'body'), body: JSON.stringify(body), author: by, created_at: tx.now, updated_at: tx.now })
          .onConflict((c) => c.column('name').doUpdateSet({ body: JSON.stringify(body), author: by, updated_at: tx.now }))
          .execute(),
      { durable: true },
    )
    return find(name)
  }
  /** What was said with a past goal, as it would be said again. */
  async function past(id: string): Promise<TemplateBody & { goal: string }> {
    const tree = await tasks.tree(id)
    const row = await store.db.selectFrom('trees').select(['workspace', 'plan']).where('id', '=', id).executeTakeFirstOrThrow()
    const rules = (await tasks.rules.narrowing())
      .filter((rule) => rule.treeId === id && rule.agent === null)
      .map(({ verdict, scope, signature }) => GoalRule.parse({ verdict, scope, signature }))
    const root = tree.tasks.find((task) => task.id === id)!
    const { costMicros, ...caps } = tree.limits
    const budget: Budget = { ...caps, dollars: costMicros / 1_000_000 }
    return {
      description: '',
      goal: tree.goal,
      agent: root.agent,
      priority: root.priority,
      mode: tree.mode,
      workspace: row.workspace as 'task' | 'shared',
      approval: tree.approval ?? 'ask_risky',
      plan: row.plan !== null,
      budget,
      ...(tree.model === undefined ? {} : { model: tree.model }),
      ...(rules.length > 0 ? { rules } : {}),
      ...(root.criteria === undefined ? {} : { criteria: root.criteria }),
    }
  }
  async function submit(body: object, { by, key }: Pick<Asked<'fork' | 'runTemplate'>, 'by' | 'key'>, forkedFrom?: string) {
    const goal = inShape(GoalRequest, Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)), 'body')
    const { treeId } = await parts.submitGoal({
      ...goal,
      by: by.name,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(forkedFrom === undefined ? {} : { forkedFrom }),
    })
    return { treeId, taskId: treeId, url: `${parts.auth.baseUrl()}/trees/${treeId}` }
  }

  return {
    async fork(asked) {
      const id = asked.param('id')
      const { description: _, ...before } = await past(id)
      const edits = Object.fromEntries(Object.entries(asked.body).filter(([, value]) => value !== undefined))
      const budget = { ...before.budget, ...asked.body.budget }
      return submit({ ...before, ...edits, budget }, asked, id)
    },
    async templates() {
      const rows = await store.db.selectFrom('templates').selectAll().orderBy('name').execute()
      return { items: rows.map(toTemplate), nextCursor: null }
    },
    template: ({ param }) => find(param('id')),
    saveTemplate: ({ param, body, by }) => save(param('id'), body, by.name),
    async removeTemplate({ param }): Promise<undefined> {
      const gone = await store.transact((tx) =>
        tx.db.deleteFrom('templates').where('name', '=', param('id')).returning('name').executeTakeFirst(),
      )
      if (!gone) throw new Fault('not_found', `There is no template ${param('id').slice(0, 64)}.`)
    },
    async keepAsTemplate({ param, body, by }) {
      const there = await store.db.selectFrom('templates').select('name').where('name', '=', body.name).executeTakeFirst()
      if (there) throw new Fault('conflict', `There is a template ${body.name} already; choose another name, or remove it first.`)
      return save(body.name, { ...(await past(param('id'))), description: body.description ?? '' }, by.name)
    },
    async runTemplate(asked) {
      const { id, variables, author, createdAt, updatedAt, description, goal, ...settings } = await find(asked.param('id'))
      const values = asked.body.variables
      const missing = variables.filter((name) => !Object.hasOwn(values, name))
      if (missing.length > 0) throw new Fault('invalid', `The template ${id} needs a value for ${missing.join(', ')} in \`variables\`.`)
      const strange = Object.keys(values).find((name) => !variables.includes(name))
      if (strange !== undefined)
        throw new Fault('invalid', `The template ${id} has no place {{${strange.slice(0, 64)}}}; it has ${variables.join(', ') || 'none'}.`)
      return submit({ ...settings, goal: filled(goal, values), attachments: asked.body.attachments }, asked)
    },
  }
}

function toTemplate(row: Selectable<Database['templates']>): Template {
  const body = TemplateBody.parse(JSON.parse(row.body))
  const time = (at: number) => new Date(Number(at)).toISOString()
  return {
    ...body,
    id: row.name,
    variables: placesIn(body.goal),
    author: row.author,
    createdAt: time(row.created_at),
    updatedAt: time(row.updated_at),
  }
}
