/** Takes a prepared revision into the place where revisions are kept, if it is exactly what was asked for. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { TRIES } from './table.mjs'
import { hashTree, packagesKey, Refusal } from './tree.mjs'

const HASH = /^[0-9a-f]{40}$/
export const folderOf = (home, slot) => join(home, 'slots', slot.tree)
/** What the page is built from. */
const PAGE_PARTS = ['web', 'core/contract']

/** Checks `request` and moves `incoming/<tree>` to its place; answers the slot to put into the table. Throws a Refusal. */
export function take(home, disk, table, request, source) {
  const { tree, commit = null, page = null, changeId = null } = request
  if (!HASH.test(tree) || (page !== null && !HASH.test(page))) throw new Refusal('the request names no tree')
  const failed = table.failed[tree]
  if (failed) throw new Refusal(`this tree failed before: ${failed.reason}`)
  const running = table.slots[table.safe ? 'golden' : table.active]
  if (source === 'change' && request.from !== running?.tree) throw new Refusal('it was tried on a revision that is not the running one')
  const other = table.slots[table.active === 'A' ? 'B' : 'A']
  if (source === 'change' && table.slots[table.active]?.state === 'trial' && other?.state === 'kept')
    throw new Refusal('the running revision is still watched; ask again when it is kept')

  const at = join(home, 'incoming', tree)
  const goal = join(home, 'slots', tree)
  // A power cut between the move and the table leaves it there already.
  const from = existsSync(at) ? at : goal
  if (!existsSync(from)) throw new Refusal('its source is not there')
  const parts = hashTree(from)
  if (parts.get('') !== tree) throw new Refusal(`its source is tree ${parts.get('')}, which is not what was asked for`)
  if (!existsSync(join(from, 'scripts', 'engine.ts')) || !existsSync(join(from, 'package-lock.json')))
    throw new Refusal('it is not a Banyan: scripts/engine.ts or package-lock.json is missing')
  const lock = packagesKey(readFileSync(join(from, 'package-lock.json'), 'utf8'))
  if (!existsSync(join(home, 'deps', lock, 'node_modules'))) throw new Refusal('the packages of its lock file were not prepared')
  if (from === at) {
    putPage(home, disk, { at, page, parts, running, lock })
    disk.remove(join(at, 'node_modules'))
    disk.link(join('..', '..', 'deps', lock, 'node_modules'), join(at, 'node_modules'))
    spawnSync('sync', ['-f', at]) // many small files: one call for all; where it is missing, the check before each first start finds what is cut off
    disk.folder(join(home, 'slots'))
    disk.remove(goal)
    disk.rename(at, goal)
  }
  return { commit, tree, lock, node: process.version, schema: null, triesLeft: TRIES, state: 'trial', changeId, source }
}

function putPage(home, disk, { at, page, parts, running, lock }) {
  if (!existsSync(join(at, 'web', 'vite.config.ts'))) return
  const dist = join(at, 'web', 'dist')
  if (page === null) {
    const old = running && join(home, 'slots', running.tree)
    const same = old && running.lock === lock && existsSync(join(old, 'web', 'dist'))
    const theirs = same ? hashTree(old) : new Map()
    if (!PAGE_PARTS.every((part) => parts.get(part) === theirs.get(part))) throw new Refusal('its web page was not built')
    return disk.copy(join(old, 'web', 'dist'), dist)
  }
  const built = join(home, 'incoming', `${parts.get('')}.page`)
  if (existsSync(dist) && !existsSync(built)) return // moved before a power cut
  if (!existsSync(built)) throw new Refusal('its web page is not there')
  if (hashTree(built, []).get('') !== page) throw new Refusal('its web page is not the one that was asked for')
  disk.remove(dist)
  disk.rename(built, dist)
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
