/**
 * The keeper: starts the engine from a slot, watches it, and goes back when a new revision fails. Standard library only, so that a broken
 * dependency cannot break what recovers from it; what it keeps and with whom it speaks is in README.md beside this file.
 *
 * `keeper.mjs --home=DATA_DIR/keeper --checkout=FOLDER [--database=FILE] [--watch-seconds=600] [--watch-tasks=50] [--scale=1]`
 */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { boot } from './boot.mjs'
import { lossOf, restore, save, shapeOf } from './database.mjs'
import { openDisk, readJson } from './disk.mjs'
import { own } from './own.mjs'
import { isOnTrial, openTable, other, TRIES } from './table.mjs'
import { damageOf, folderOf, take } from './take.mjs'
import { Refusal } from './tree.mjs'

/** What an engine's exit code says. Anything else, a signal included, is a crash. */
const [STOPPED, RESTART, BAD_CONFIGURATION] = [0, 75, 78]
/** A signal that came before the engine could listen for it ended it on the spot; there was nothing to drain. */
const EARLY = { SIGTERM: STOPPED, SIGHUP: STOPPED, SIGINT: 130 }
/** So many crashes, or restarts of a slot that never ran for `quickMs`, within the time are a loop. */
const LOOP = { most: 5, withinMs: 600_000, quickMs: 20_000 }
const say = (text) => process.stderr.write(`banyan keeper: ${text}\n`)
// A terminal that went away must not take the keeper with it.
process.stderr.on('error', () => undefined)

const given = Object.fromEntries(process.argv.slice(2).map((word) => /^--([\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word, '']))
const { home, checkout, database = '' } = given
const scale = Number(given.scale ?? 1)
const watch = { ms: Number(given['watch-seconds'] ?? 600) * 1000, tasks: Number(given['watch-tasks'] ?? 50) }
const backups = join(dirname(home), 'backups')
let left = Number(given['stop-after'] ?? Number.POSITIVE_INFINITY)
const disk = openDisk(home, () => --left === 0 && process.kill(process.pid, 'SIGKILL'))

const label = (slot) => (slot.commit ?? slot.tree).slice(0, 12)
/** Counts one more; answers how many there were within the time of a loop. */
function count(times) {
  times.push(Date.now())
  while (times[0] <= Date.now() - LOOP.withinMs * scale) times.shift()
  return times.length
}

/** Resolves with the code that this process should end with. */
async function keep() {
  const { table, save: write, event: draw } = openTable(home, disk, say)
  const { slots } = table
  const stop = new AbortController()
  let engine = null
  /** The next process of the slot that leaves: its code is loaded already, and it waits. */
  let standby = null
  let wasReady = false
  const [checked, fellFrom, crashes] = [new Set(), new Set(), []]
  const onTrial = (name) => isOnTrial(table, name)

  /** Whatever the disk does, what runs goes on; false: the table on it is older than the one in memory. */
  function settle() {
    try {
      write()
      return true
    } catch (error) {
      say(`the slot table could not be written (${error.code ?? error.message}): free space, or check the disk of ${home}`)
      return false
    }
  }
  /** Saves what happened with all that the table says now, then tells it to the engine; false: the disk did not take it. */
  function note(...what) {
    const event = draw(...what)
    const isSaved = settle()
    engine?.send({ type: 'event', event })
    return isSaved
  }

  function takeRequest(file, source) {
    const path = join(home, file)
    const request = readJson(path)
    if (typeof request?.id === 'string' && request.id !== table.lastRequest) {
      const about = { changeId: request.changeId ?? null, tree: request.tree ?? null, commit: request.commit ?? null }
      table.lastRequest = request.id
      try {
        if (request.kind === 'rollback') {
          if (slots[other(table.active)]?.state !== 'kept') throw new Refusal('there is no earlier revision to go back to')
          if (about.changeId !== null && about.changeId !== slots[table.active].changeId) throw new Refusal('another revision runs by now')
          undo(table.active, String(request.reason ?? 'a person rolled it back').slice(0, 300))
        } else {
          const slot = take(home, table, request, source)
          checked.add(slot.tree)
          // A checkout's newer commit takes the place of a trial, or of a revision that never ran; the last good one stays.
          const was = table.active
          const name = !slots[was] || onTrial(was) || slots[was].schema === null ? was : other(was)
          Object.assign(slots, { [name]: slot, golden: slots.golden ?? { ...slot, state: 'kept' } })
          Object.assign(table, { active: name, safe: false, backup: null })
          if (name !== was) kept(was) // it served, so it can be gone back to
        }
        settle()
      } catch (error) {
        const reason = error instanceof Refusal ? error.message : `it could not be put in place (${error.code ?? error.message})`
        note('refused', table.active, reason, about)
        say(`the revision that was asked for was refused: ${reason}`)
      }
    }
    if (existsSync(path)) disk.remove(path)
  }

  /** From a revision that is not to come again to the last good one. */
  function undo(name, reason) {
    const { tree, changeId } = slots[name]
    // The migrations of one that was never let to work must not stay: another revision may use their numbers.
    if (table.backup !== null) {
      const [before, after] = [shapeOf(table.backup), shapeOf(database)]
      table.restore = lossOf(before, after) !== null || before?.schema !== after?.schema
    }
    table.failed[tree] = { at: new Date().toISOString(), reason, changeId }
    slots[name].state = 'undone'
    Object.assign(table, { active: other(name), safe: false })
    crashes.length = 0
    note('undone', name, reason)
    say(`revision ${label(slots[name])} was undone: ${reason}. The last good one, ${label(slots[table.active])}, starts`)
  }

  /** Puts the database back to before a trial that was never let to work; false: it could not. */
  async function putBack(name) {
    const from = table.backup
    Object.assign(table, { backup: null, restore: false })
    say('the database is put back to how it was before the failed revision, which had not begun to work')
    try {
      await restore(from, database, backups)
      return note('restored', name, from)
    } catch (error) {
      say(`the backup ${from} could not be put back (${error.message})`)
      return false
    }
  }

  /** Nothing is known to be wrong with this revision but that it does not run: the other kept one, then golden. False: nothing is left. */
  function fallBack(name, reason) {
    crashes.length = 0
    if (name === 'golden') return false
    const next = other(name)
    if (slots[next]?.state === 'kept' && !fellFrom.has(next)) {
      fellFrom.add(name)
      table.active = next
      settle()
      say(`${reason}; the last good revision, ${label(slots[next])}, starts`)
    } else {
      table.safe = true
      note('safe-mode', 'golden', reason)
      say(`${reason}; safe mode starts: the page, review and rollback work, agents are off. Restart to try again`)
    }
    return true
  }

  /** A boot that passes here may work; answers what is wrong, or null. */
  function admit(name, info, before) {
    const slot = slots[name]
    const good = slots[other(name)]
    if (onTrial(name)) {
      const loss = database === '' ? null : lossOf(before, shapeOf(database))
      if (loss) return loss
      if (info.oldestCode > (good.schema ?? 0)) return `its database refuses the last good revision (schema ${good.schema})`
    }
    Object.assign(slot, { schema: info.schema, node: process.version })
    // A person who stops and starts their own commit often is no reason to undo it.
    if (slot.source === 'checkout') slot.triesLeft = TRIES
    table.backup = null
    wasReady = true
    note('ready', name)
    return null
  }

  function kept(name) {
    const slot = slots[name]
    if (name === 'golden' || slot.state !== 'trial') return
    slot.state = 'kept'
    if (slot.source === 'checkout') slots.golden = { ...slot }
    note('kept', name)
  }

  /** What hinders a start of this slot, or null; a trial is backed up, and one of its tries is taken. */
  async function obstacle(name, trial) {
    const slot = slots[name]
    const damage = checked.has(slot.tree) ? null : damageOf(home, slot)
    if (damage) {
      note('crash', name, damage)
      return damage
    }
    checked.add(slot.tree)
    if (!trial) {
      if (table.restore && table.backup !== null) await putBack(name)
      return null
    }
    if (slot.triesLeft <= 0) return 'it did not start in three tries'
    try {
      if (table.backup === null && database !== '')
        Object.assign(table, { restore: false, backup: await save(database, backups, 'before-change') })
    } catch (error) {
      return `the database could not be backed up (${error.message})`
    }
    slot.triesLeft--
    return null
  }

  function open(name, waits) {
    const slot = slots[name]
    const folder = folderOf(home, slot)
    const trial = onTrial(name)
    const before = trial && table.backup !== null ? shapeOf(table.backup) : null
    const node = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
    const revision = label(slot)
    // The end of the window alone proves nothing: what is silent by then is not kept.
    let window = Number.POSITIVE_INFINITY
    const argv = [join(folder, 'scripts', 'engine.ts'), `--checkout=${checkout}`, `--revision=${revision}`, `--slot=${name}`]
    return boot({
      node: existsSync(node) ? realpathSync(node) : process.execPath,
      argv: waits ? [...argv, '--standby'] : argv,
      env: name === 'golden' ? { ...process.env, SAFE_MODE: '1' } : process.env,
      cwd: checkout,
      revision,
      scale,
      limits: given,
      strict: () => onTrial(name),
      usual: slots[trial ? other(name) : name].usual,
      onReady(info) {
        window = performance.now() + watch.ms
        return admit(name, info, before)
      },
      onBeat({ ended, wrong = null, leak = null, usual = null }) {
        const over = performance.now() >= window
        const bad = wrong ?? (over ? leak : null)
        if (bad !== null && onTrial(name)) return String(bad).slice(0, 300)
        if (JSON.stringify(usual).length < 300) slot.usual = usual
        if (over || Number(ended) >= watch.tasks) kept(name)
        return null
      },
      onLeaving(how) {
        const comesAgain = how === 'restart' && name === table.active && !table.safe && slot.state === 'kept'
        if (comesAgain && standby === null && !existsSync(join(home, 'request.json'))) standby = { name, process: open(name, true) }
      },
    })
  }

  // The engine counts signals itself; it alone knows what a second SIGINT cuts off.
  for (const signal of Object.keys(EARLY)) {
    process.on(signal, () => {
      stop.abort()
      standby?.process.drop()
      engine?.signal(signal)
    })
  }

  table.safe = false
  takeRequest('checkout.json', 'checkout')
  takeRequest('request.json', 'change')
  for (;;) {
    const name = table.safe ? 'golden' : table.active
    const slot = slots[name]
    if (!slot) {
      say('there is no revision to run: start it with "npm start" in the checkout')
      return 1
    }
    if (stop.signal.aborted) return STOPPED
    const trial = onTrial(name)
    let hindered = await obstacle(name, trial)
    if (hindered === null && !note('boot', name) && trial) hindered = 'its tries could not be counted on the disk'
    if (hindered !== null) {
      if (trial) undo(name, hindered)
      else if (!fallBack(name, `revision ${label(slot)} cannot start: ${hindered}`)) return 1
      continue
    }
    if (standby !== null && standby.name !== name) standby.process.drop()
    engine = standby?.name === name ? standby.process : open(name, false)
    standby = null
    engine.go()
    const end = await engine.ended
    engine = null

    // One that a person stopped and that hangs on its way was stopped all the same.
    const code = end.why === null ? end.code : end.ready && end.announced === 'stop' ? STOPPED : null
    const asked = code === (end.announced === 'restart' ? RESTART : STOPPED) && end.ready && end.announced !== null
    const bad = code === BAD_CONFIGURATION && !wasReady && !(trial && slot.source === 'change') && table.backup === null
    if (trial && (asked || bad || stop.signal.aborted)) {
      slot.triesLeft++
      settle()
    }
    if (stop.signal.aborted) return end.code === RESTART ? STOPPED : (end.code ?? EARLY[end.signal] ?? 1)
    if (bad) return 1
    if (code === STOPPED && (asked || !trial)) return STOPPED
    if (code === RESTART) {
      const [was, safe] = [table.active, table.safe]
      table.safe = false
      takeRequest('request.json', 'change')
      if (was !== table.active || safe) continue
      // On trial an end that nobody asked for is a crash, whatever its code.
      if (trial ? asked && count(crashes) <= LOOP.most : asked || end.upMs >= LOOP.quickMs * scale) continue
    } else note('crash', name, end.how)

    // What is left is a crash, or an engine that asks for one start after the other.
    if (!end.ready && !trial && table.backup !== null && (await putBack(name))) continue
    const how = code === RESTART && (asked || !trial) ? 'it asks for one restart after the other' : end.how
    if (trial && (slot.triesLeft <= 0 || end.ready || end.why !== null || code === BAD_CONFIGURATION)) {
      undo(name, end.ready || end.why !== null || slot.triesLeft > 0 ? how : `it did not start in three tries (${how})`)
      continue
    }
    const loop = count(crashes) >= LOOP.most
    const what = `${how.replace(/^it(s)? /, (_, of) => `the engine${of ? "'s" : ''} `)}${loop ? `, ${LOOP.most} times in a short time` : ''}`
    if (loop && !fallBack(name, what)) {
      say(`${what}, in safe mode too; it stays stopped: read the errors above, mend the cause and start it again`)
      return 1
    }
    if (loop || code === RESTART) continue
    const ms = Math.min(5_000, 200 * 2 ** (crashes.length - 1)) * Math.min(1, scale * 10)
    say(`${what}; starting it again in ${Math.round(ms)} ms`)
    await pause(ms, undefined, { signal: stop.signal }).catch(() => undefined)
  }
}

const owner = own(home)
const code = await keep()
owner.close()
process.exit(code)
