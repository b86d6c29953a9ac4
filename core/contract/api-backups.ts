/** Routes of backups of the database. */
import * as z from 'zod'
import { count, listOf, one, text, time } from './route.ts'

export const BackupItem = z
  .object({
    /** The file's name. */
    id: text,
    at: time,
    /** `daily`, `by-hand`, `before-change` (of the running revision) or `replaced` (by a restore). */
    why: text,
    kind: z.enum(['sqlite', 'postgres']),
    schema: z.number().int().nullable(),
    bytes: count,
    sha256: text,
    /** When it was last looked through, and what was wrong with it; null: it never was. */
    checked: z.object({ at: time, problem: text.nullable() }).nullable(),
  })
  .meta({ id: 'Backup' })
export type BackupItem = z.output<typeof BackupItem>

export const BACKUP_ROUTES = {
  backups: one({
    method: 'GET',
    path: '/api/backups',
    scope: 'admin',
    summary: 'Backups of the database in DATA_DIR/backups, newest first',
    status: 200,
    response: listOf(BackupItem),
  }),
  makeBackup: one({
    method: 'POST',
    path: '/api/backups',
    scope: 'admin',
    summary: 'Makes a backup of the database now, while it is in use',
    status: 201,
    response: BackupItem,
  }),
  checkBackup: one({
    method: 'POST',
    path: '/api/backups/{id}/check',
    scope: 'admin',
    summary: 'Looks through a backup: its checksum and its pages. What is wrong is in `checked.problem` of the answer',
    status: 200,
    response: BackupItem,
  }),
  restoreBackup: one({
    method: 'POST',
    path: '/api/backups/{id}/restore',
    scope: 'admin',
    summary: 'Checks a backup and puts it in place of the embedded database by a restart; what it replaces is backed up first',
    status: 202,
    response: BackupItem,
  }),
} as const
