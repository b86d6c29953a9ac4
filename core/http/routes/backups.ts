/** Backups: what there is, one more, and back to one. */
import type { BackupItem } from '../../contract/api-backups.ts'
import type { Backup, Backups } from '../../store/backups.ts'
import type { Handlers } from '../router.ts'

const told = ({ file, ...rest }: Backup): BackupItem => ({ id: file, ...rest })

export function backupRoutes(parts: {
  backups: Pick<Backups, 'list' | 'make' | 'check' | 'askRestore'>
  shutdown: (how: 'restart') => void
}): Pick<Handlers, 'backups' | 'makeBackup' | 'checkBackup' | 'restoreBackup'> {
  return {
    backups: async () => ({ items: (await parts.backups.list()).map(told), nextCursor: null }),
    makeBackup: async () => told(await parts.backups.make('by-hand')),
    checkBackup: async ({ param }) => told(await parts.backups.check(param('id'))),
    async restoreBackup({ param }) {
      const backup = await parts.backups.askRestore(param('id'))
      setImmediate(() => parts.shutdown('restart')) // the answer goes out first
      return told(backup)
    },
  }
}
