/** Routes of goals given again: a new goal from a past one, and templates with places for what differs. */
import * as z from 'zod'
import { GoalText, goalSettings, Submitted } from './api-goals.ts'
import { Name } from './registry.ts'
import { listOf, one, text, time } from './route.ts'

/** What a template may say of its goals: all but the files, which are of one goal. */
const { attachments: _files, priority, mode, workspace, approval, plan, ...rest } = goalSettings
const settings = {
  ...rest,
  priority: priority.unwrap().optional(),
  mode: mode.unwrap().optional(),
  workspace: workspace.unwrap().optional(),
  approval: approval.unwrap().optional(),
  plan: plan.unwrap().optional(),
}
/** `{{name}}` in the goal is a place that whoever uses the template fills. */
export const TemplateBody = z.object({ description: text.max(1_000).default(''), goal: GoalText, ...settings }).strict()
export type TemplateBody = z.output<typeof TemplateBody>
const Template = TemplateBody.extend({ id: Name, variables: z.array(text), author: text, createdAt: time, updatedAt: time }).meta({
  id: 'Template',
})
export type Template = z.output<typeof Template>
const Fork = z
  .object({ goal: GoalText.optional(), ...settings, attachments: goalSettings.attachments })
  .strict()
  .meta({ id: 'ForkRequest' })
export type Fork = z.output<typeof Fork>

export const TEMPLATE_ROUTES = {
  fork: one({
    method: 'POST',
    path: '/api/trees/{id}/fork',
    scope: 'goals:write',
    summary: 'Submits a past goal anew, with what the body says in place of what it said; its files do not come along',
    status: 201,
    request: Fork,
    optionalBody: true,
    keyed: true,
    response: Submitted,
  }),
  templates: one({
    method: 'GET',
    path: '/api/templates',
    scope: 'read',
    summary: 'Goals kept as templates',
    status: 200,
    response: listOf(Template),
  }),
  template: one({ method: 'GET', path: '/api/templates/{id}', scope: 'read', summary: 'One template', status: 200, response: Template }),
  saveTemplate: one({
    method: 'PUT',
    path: '/api/templates/{id}',
    scope: 'goals:write',
    summary: 'Keeps a template under this name, in place of one that is there',
    status: 200,
    request: TemplateBody.meta({ id: 'TemplateRequest' }),
    response: Template,
  }),
  removeTemplate: one({ method: 'DELETE', path: '/api/templates/{id}', scope: 'goals:write', summary: 'Removes a template', status: 204 }),
  keepAsTemplate: one({
    method: 'POST',
    path: '/api/trees/{id}/template',
    scope: 'goals:write',
    summary: 'Keeps a past goal as a template',
    status: 201,
    request: z
      .object({ name: Name, description: text.max(1_000).optional() })
      .strict()
      .meta({ id: 'KeepAsTemplate' }),
    response: Template,
  }),
  runTemplate: one({
    method: 'POST',
    path: '/api/templates/{id}/run',
    scope: 'goals:write',
    summary: 'Submits the goal of a template; every place needs a value',
    status: 201,
    keyed: true,
    request: z
      .object({ variables: z.record(text.max(64), text.max(20_000)).default({}), attachments: goalSettings.attachments })
      .strict()
      .meta({ id: 'RunTemplate' }),
    optionalBody: true,
    response: Submitted,
  }),
} as const
