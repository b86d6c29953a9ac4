/** What the owner decides for the whole system: its policy with the caps of a goal, and the settings that it was started with. */
import * as z from 'zod'
import { DEFAULT_LIMITS, Limits } from './limits.ts'
import { Name } from './registry.ts'
import { count, listOf, one, text, time } from './route.ts'

export const PERMISSIONS = ['read', 'write', 'exec', 'network', 'self'] as const
const Narrowed = z.enum(['ask', 'deny'])

/**
 * It only narrows: what widens comes from a decision about one action. A permission or tool that is not named keeps its own level. `tainted`:
 * what becomes of a call that reaches out of the workspace in a task that has read what nobody in its tree wrote.
 */
export const SystemPolicy = z
  .object({
    permissions: z.partialRecord(z.enum(PERMISSIONS), Narrowed).default({}),
    tools: z.record(Name, Narrowed).default({}),
    tainted: Narrowed.default('ask'),
    /** Caps of a goal that says nothing of its budget. */
    limits: Limits.default(DEFAULT_LIMITS),
  })
  .strict()
  .meta({ id: 'SystemPolicy' })
export type SystemPolicy = z.output<typeof SystemPolicy>
export const DEFAULT_POLICY: SystemPolicy = { permissions: {}, tools: {}, tainted: 'ask', limits: DEFAULT_LIMITS }

/** Version 0 is what holds while nobody saved one. */
const PolicyItem = z.object({ version: count, author: text, updatedAt: time.nullable(), policy: SystemPolicy }).meta({ id: 'Policy' })
export type PolicyItem = z.output<typeof PolicyItem>

const Setting = z
  .object({
    /** Its name in the environment. */
    id: text,
    about: text,
    /** `***` for a secret that is set; null: not set, and there is no default. */
    value: text.nullable(),
    secret: z.boolean(),
    /** `stored`: set here, over what the others say. */
    source: z.enum(['stored', 'environment', '.env', 'file', 'default']),
    /** Where exactly it comes from, such as a line of `.env`. */
    from: text.nullable(),
    /** True: a PUT changes it now and for good. False: `change` says how. */
    live: z.boolean(),
    change: text,
  })
  .meta({ id: 'Setting' })
export type SettingItem = z.output<typeof Setting>

export const SETTINGS_ROUTES = {
  policy: one({
    method: 'GET',
    path: '/api/policy',
    scope: 'read',
    summary: "The owner's policy for the whole system",
    status: 200,
    response: PolicyItem,
  }),
  savePolicy: one({
    method: 'PUT',
    path: '/api/policy',
    scope: 'admin',
    summary: 'Saves a new version of the policy; with If-Match only if that is still the newest, else 412. It holds from the next call on',
    status: 200,
    request: SystemPolicy,
    response: PolicyItem,
  }),
  policyVersions: one({
    method: 'GET',
    path: '/api/policy/versions',
    scope: 'read',
    summary: 'Every version of the policy, newest first',
    status: 200,
    response: listOf(PolicyItem),
  }),
  settings: one({
    method: 'GET',
    path: '/api/settings',
    scope: 'admin',
    summary: 'Every setting: its value (never a secret), where it comes from, what it means and how to change it',
    status: 200,
    response: listOf(Setting),
  }),
  saveSetting: one({
    method: 'PUT',
    path: '/api/settings/{id}',
    scope: 'admin',
    summary: 'Changes a setting that needs no restart; null goes back to what the environment, .env or the default say',
    status: 200,
    request: z.object({ value: text.max(1_000).nullable() }).strict(),
    response: Setting,
  }),
} as const
