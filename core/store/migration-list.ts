/** All migrations, oldest first. A new one adds its import and its name here, and nothing else changes. */
import type { Migration } from './migrate.ts'
import * as foundation from './migrations/0001-foundation.ts'
import * as policy from './migrations/0002-policy.ts'
import * as web from './migrations/0003-web.ts'
import * as secrets from './migrations/0004-secrets.ts'
import * as files from './migrations/0005-files.ts'
import * as page from './migrations/0006-page.ts'
import * as goals from './migrations/0007-goals.ts'
import * as access from './migrations/0008-access.ts'
import * as templates from './migrations/0009-templates.ts'
import * as jobs from './migrations/0010-jobs.ts'
import * as decisions from './migrations/0011-decisions.ts'
import * as mcp from './migrations/0012-mcp.ts'
import * as rerun from './migrations/0013-rerun.ts'
import * as made from './migrations/0014-made-tools.ts'
import * as outside from './migrations/0015-outside.ts'
import * as actKeys from './migrations/0016-act-keys.ts'
import * as servers from './migrations/0017-servers.ts'
import * as changes from './migrations/0018-changes.ts'
import * as mcpClients from './migrations/0019-mcp-clients.ts'
import * as watchdog from './migrations/0020-watchdog.ts'
import * as lessons from './migrations/0021-lessons.ts'
import * as watchedTasks from './migrations/0022-watched-tasks.ts'
import * as outsideUsage from './migrations/0023-outside-usage.ts'
import * as scores from './migrations/0024-scores.ts'
import * as criteria from './migrations/0025-criteria.ts'
import * as asks from './migrations/0026-asks.ts'
import * as providerHolds from './migrations/0027-provider-holds.ts'
import * as causes from './migrations/0028-causes.ts'
import * as keeperTold from './migrations/0029-keeper-told.ts'
import * as viewedFiles from './migrations/0030-viewed-files.ts'

export const MIGRATIONS: readonly Migration[] = [
  foundation,
  policy,
  web,
  secrets,
  files,
  page,
  goals,
  access,
  templates,
  jobs,
  decisions,
  mcp,
  rerun,
  made,
  outside,
  actKeys,
  servers,
  changes,
  mcpClients,
  watchdog,
  lessons,
  watchedTasks,
  outsideUsage,
  scores,
  criteria,
  asks,
  providerHolds,
  causes,
  keeperTold,
  viewedFiles,
]
