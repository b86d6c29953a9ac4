import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'

/** Where a program is that can be run; null: nowhere. `path` is that of the environment. */
export async function findProgram(program: string, path: string): Promise<string | null> {
  // The usual places too: PATH may be that of a service.
  for (const folder of [...path.split(':').filter((part) => part.startsWith('/')), '/usr/local/bin', '/usr/bin', '/bin']) {
    const place = join(folder, program)
    const runs = await access(place, constants.X_OK).then(
      () => true,
      () => false, // not there: the next folder
    )
    if (runs) return place
  }
  return null
}
