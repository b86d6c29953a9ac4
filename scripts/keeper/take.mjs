/** Whether a revision that is asked for is exactly what lies on the disk, and may run. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isOnTrial, TRIES } from './table.mjs'
import { hashTree, packagesKey, Refusal } from './tree.mjs'

const HASH = /^[0-9a-f]{40}$/
export const folderOf = (home, slot) => join(home, 'slots', slot.tree)

/** The slot that this request is for. Throws a Refusal. */
export function take(home, table, request, source) {
  const { tree, commit = null, page = null, changeId = null } = request
  if (!HASH.test(tree) || !HASH.test(page ?? tree)) throw new Refusal('the request names no tree')
  if (table.failed[tree]) throw new Refusal(`this tree failed before: ${table.failed[tree].reason}`)
  if (source === 'change') {
    const running = table.slots[table.safe ? 'golden' : table.active]
    if (request.from !== running?.tree) throw new Refusal('it was tried on a revision that is not the running one')
    if (isOnTrial(table, table.active)) throw new Refusal('the running revision is still watched; ask again when it is kept')
  }
  const slot = { commit, tree, page, node: process.version, schema: null, triesLeft: TRIES, state: 'trial', changeId, source }
  const folder = folderOf(home, slot)
  const damage = damageOf(home, slot)
  if (damage) throw new Refusal(damage)
  if (!existsSync(join(folder, 'scripts', 'engine.ts'))) throw new Refusal('it is not a Banyan: scripts/engine.ts is missing')
  if (page === null && existsSync(join(folder, 'web', 'vite.config.ts'))) throw new Refusal('its web page was not built')
  return { ...slot, lock: packagesKey(readFileSync(join(folder, 'package-lock.json'), 'utf8')) }
}

/** Why this slot cannot be started from what lies on the disk; null: it can. */
export function damageOf(home, { tree, page = null }) {
  const folder = folderOf(home, { tree })
  try {
    const found = hashTree(folder).get('')
    if (found !== tree) return `its source is tree ${found}, which is not what was asked for`
    const packages = join('deps', packagesKey(readFileSync(join(folder, 'package-lock.json'), 'utf8')), 'node_modules')
    if (!existsSync(join(home, packages))) return 'the packages of its lock file are not there'
    if (readlinkSync(join(folder, 'node_modules')) !== join('..', '..', packages)) return 'it is linked to other packages than it asks for'
    if (page !== null && hashTree(join(folder, 'web', 'dist'), []).get('') !== page) return 'its web page is not the one that was asked for'
    return null
  } catch (error) {
    return error instanceof Refusal ? error.message : `its files cannot be read (${error.code}: ${error.path})`
  }
}
