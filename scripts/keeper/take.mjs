/** Takes a prepared revision into the place where revisions are kept, if it is exactly what was asked for. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { other, TRIES } from './table.mjs'
import { hashTree, packagesKey, Refusal } from './tree.mjs'

const HASH = /^[0-9a-f]{40}$/
export const folderOf = (home, slot) => join(home, 'slots', slot.tree)

/** Checks `request` and moves `incoming/<tree>` to its place; answers the slot to put into the table. Throws a Refusal. */
export function take(home, disk, table, request, source) {
  const { tree, commit = null, page = null, changeId = null } = request
  if (!HASH.test(tree) || (page !== null && !HASH.test(page))) throw new Refusal('the request names no tree')
  const failed = table.failed[tree]
  if (failed) throw new Refusal(`this tree failed before: ${failed.reason}`)
  const running = table.slots[table.safe ? 'golden' : table.active]
  if (source === 'change' && request.from !== running?.tree) throw new Refusal('it was tried on a revision that is not the running one')
  if (source === 'change' && table.slots[table.active]?.state === 'trial' && table.slots[other(table.active)]?.state === 'kept')
    throw new Refusal('the running revision is still watched; ask again when it is kept')

  const at = join(home, 'incoming', tree)
  const goal = join(home, 'slots', tree)
  // A power cut between the move and the table leaves it there already.
  const from = existsSync(at) ? at : goal
  if (!existsSync(from)) throw new Refusal('its source is not there')
  const found = hashTree(from).get('')
  if (found !== tree) throw new Refusal(`its source is tree ${found}, which is not what was asked for`)
  if (!existsSync(join(from, 'scripts', 'engine.ts')) || !existsSync(join(from, 'package-lock.json')))
    throw new Refusal('it is not a Banyan: scripts/engine.ts or package-lock.json is missing')
  const lock = packagesKey(readFileSync(join(from, 'package-lock.json'), 'utf8'))
  if (!existsSync(join(home, 'deps', lock, 'node_modules'))) throw new Refusal('the packages of its lock file were not prepared')
  if (existsSync(join(from, 'web', 'vite.config.ts'))) {
    const dist = join(from, 'web', 'dist')
    if (page === null || !existsSync(dist)) throw new Refusal('its web page was not built')
    if (hashTree(dist, []).get('') !== page) throw new Refusal('its web page is not the one that was asked for')
  }
  if (from === at) {
    disk.remove(join(at, 'node_modules'))
    disk.act(symlinkSync, join('..', '..', 'deps', lock, 'node_modules'), join(at, 'node_modules'))
    spawnSync('sync', ['-f', at]) // many small files: one call for all; where it is missing, the check before each first start finds what is cut off
    mkdirSync(join(home, 'slots'), { recursive: true, mode: 0o700 })
    disk.remove(goal)
    disk.rename(at, goal)
  }
  return { commit, tree, lock, node: process.version, schema: null, triesLeft: TRIES, state: 'trial', changeId, source }
}

/** Why this slot cannot be started from what lies on the disk; null: it can. */
export function damageOf(home, slot) {
  const folder = folderOf(home, slot)
  try {
    if (hashTree(folder).get('') !== slot.tree) return 'its files are not those of its revision'
    if (!existsSync(join(folder, readlinkSync(join(folder, 'node_modules'))))) return 'its packages are gone'
    return null
  } catch (error) {
    return error instanceof Refusal ? error.message : `its files cannot be read (${error.code})`
  }
}
