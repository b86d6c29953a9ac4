/**
 * The keeper: starts the engine from a slot, watches it, and goes back when a new revision fails. Standard library only, so that a broken
 * dependency cannot break what recovers from it; what it keeps and with whom it speaks is in README.md beside this file.
 *
 * `keeper.mjs --home=DATA_DIR/keeper --checkout=FOLDER [--database=FILE] [--watch-seconds=600] [--watch-tasks=50] [--scale=1]`
 */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { boot } from './boot.mjs'
import { lossOf, restore, save, shapeOf } from './database.mjs'
import { openDisk, readJson } from './disk.mjs'
import { own } from './own.mjs'
import { openTable, TRIES } from './table.mjs'
import { damageOf, folderOf, take } from './take.mjs'
import { Refusal } from './tree.mjs'

/** What an engine's exit code says. Anything else, a signal included, is a crash. */
const [STOPPED, RESTART, BAD_CONFIGURATION] = [0, 75, 78]
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

/** Resolves with the code that this process should end with. */
async function keep() {
  const { table, save: write, event, sweep } = openTable(home, disk, say)
  /** Whatever the disk does, what runs goes on; false: the table on it is older than the one in memory. */
  const tried = (what, act) => {
    try {
      act()
      return true
    } catch (error) {
      say(`${what} (${error.code ?? error.message}): free space, or check the disk of ${home}`)
      return false
    }
  }
  const settle = () => tried('the slot table could not be written', write)
  const tell = (type, slot) => {
    const one = event(type, slot)
    engine?.send({ type: 'event', event: one })
  }
  let engine = null
  let stopping = false
  let waiting = null
  let wasReady = false
  const checked = new Set()
  const crashes = []
  const restarts = []
  const other = (name) => (name === 'A' ? 'B' : 'A')
  const onTrial = (name) => name !== 'golden' && table.slots[name].state === 'trial' && table.slots[other(name)]?.state === 'kept'

  function takeRequest(file, source) {
    const path = join(home, file)
    const request = readJson(path)
    if (!existsSync(path)) return
    if (typeof request?.id === 'string' && request.id !== table.lastRequest) {
      const about = { changeId: request.changeId ?? null, tree: request.tree ?? null, commit: request.commit ?? null }
      table.lastRequest = request.id
      try {
        if (request.kind === 'rollback') rollBack(about)
        else {
          const slot = take(home, disk, table, request, source)
          // A checkout's newer commit takes the place of a trial, or of a revision that never ran; the last good one stays.
          const present = table.slots[table.active]
          const name = !present || onTrial(table.active) || present.schema === null ? table.active : other(table.active)
          const was = table.active
          Object.assign(table.slots, { [name]: slot, golden: table.slots.golden ?? { ...slot, state: 'kept' } })
          Object.assign(table, { active: name, safe: false, backup: null })
          if (name !== was) kept(was) // it served, so it can be gone back to
        }
        settle()
      } catch (error) {
        const reason = error instanceof Refusal ? error.message : `it could not be put in place (${error.code ?? error.message})`
        settle()
        event('refused', table.active, reason, about)
        say(`the revision that was asked for was refused: ${reason}`)
      }
    }
    disk.remove(path)
  }

  function rollBack(about) {
    const name = table.active
    if (table.slots[other(name)]?.state !== 'kept') throw new Refusal('there is no earlier revision to go back to')
    const reason = 'a person rolled it back'
    event('undone', name, reason, { changeId: about.changeId ?? table.slots[name].changeId })
    table.slots[name].state = 'undone'
    table.failed[table.slots[name].tree] = { at: new Date().toISOString(), reason, changeId: about.changeId }
    Object.assign(table, { active: other(name), safe: false })
  }

  /** The trial is over and lost. */
  function undo(name, reason) {
    const slot = table.slots[name]
    event('undone', name, reason)
    table.failed[slot.tree] = { at: new Date().toISOString(), reason, changeId: slot.changeId }
    slot.state = 'undone'
    table.active = other(name)
    // Its migrations must not stay: another revision may use their numbers.
    if (table.backup !== null) {
      const [before, after] = [shapeOf(table.backup), shapeOf(database)]
      table.restore = lossOf(before, after) !== null || before?.schema !== after?.schema
    }
    crashes.length = 0
    settle()
    say(`revision ${label(slot)} was undone: ${reason}. The last good one, ${label(table.slots[table.active])}, starts`)
  }

  /** Puts the database back to before a trial that was never let to work; false: it could not. */
  async function putBack(name) {
    const from = table.backup
    Object.assign(table, { backup: null, restore: false })
    say('the database is put back to how it was before the failed revision, which had not begun to work')
    try {
      await restore(from, database, backups)
      event('restored', name, from)
      return settle()
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
    if (table.slots[next]?.state === 'kept' && !fellFrom.has(next)) {
      fellFrom.add(name)
      table.active = next
      say(`${reason}; the last good revision, ${label(table.slots[next])}, starts`)
    } else {
      table.safe = true
      event('safe-mode', 'golden', reason)
      say(`${reason}; safe mode starts: the page, review and rollback work, agents are off. Restart to try again`)
    }
    settle()
    return true
  }
  const fellFrom = new Set()

  /** A boot that passes here may work; answers what is wrong, or null. */
  function admit(name, info, before) {
    const slot = table.slots[name]
    const good = table.slots[other(name)]
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
    settle()
    return null
  }

  function kept(name) {
    const slot = table.slots[name]
    if (name === 'golden' || slot.state !== 'trial') return
    slot.state = 'kept'
    if (slot.source === 'checkout') table.slots.golden = { ...slot }
    settle()
    tell('kept', name)
    tried('old revisions could not be removed', sweep)
  }

  async function run(name) {
    const slot = table.slots[name]
    const folder = folderOf(home, slot)
    const before = onTrial(name) && table.backup !== null ? shapeOf(table.backup) : null
    const modules = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
    const revision = (slot.commit ?? slot.tree).slice(0, 12)
    event('boot', name)
    let window = null
    // The end of the window alone proves nothing: what is silent by then is not kept.
    let watched = false
    engine = boot({
      node: existsSync(modules) ? realpathSync(modules) : process.execPath,
      argv: [join(folder, 'scripts', 'engine.ts'), `--checkout=${checkout}`, `--revision=${revision}`, `--slot=${name}`],
      env: name === 'golden' ? { ...process.env, SAFE_MODE: '1' } : process.env,
      cwd: checkout,
      revision,
      scale,
      patient: given['boot-seconds'] === undefined ? null : Number(given['boot-seconds']) * 1000,
      strict: () => onTrial(name),
      onReady(info) {
        const wrong = admit(name, info, before)
        if (wrong === null) {
          tell('ready', name)
          window = setTimeout(() => (watched = true), watch.ms)
        }
        return wrong
      },
      onBeat: (ended) => (watched || ended >= watch.tasks) && kept(name),
    })
    const end = await engine.ended
    clearTimeout(window)
    engine = null
    return end
  }

  /** Waits as long as `ms`, or until somebody wants to stop. */
  const pause = (ms) => new Promise((resume) => (waiting = { resume, timer: setTimeout(resume, ms) }))

  // The engine counts signals itself; it alone knows what a second SIGINT cuts off.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stopping = true
      if (engine) return engine.signal(signal)
      clearTimeout(waiting?.timer)
      waiting?.resume()
    })
  }

  table.safe = false
  if (existsSync(join(home, 'retry'))) {
    table.failed = {}
    disk.remove(join(home, 'retry'))
  }
  takeRequest('checkout.json', 'checkout')
  takeRequest('request.json', 'change')
  disk.fill()
  for (;;) {
    const name = table.safe ? 'golden' : table.active
    const slot = table.slots[name]
    if (!slot) {
      say('there is no revision to run: start it with "npm start" in the checkout')
      return 1
    }
    if (stopping) return STOPPED
    const trial = onTrial(name)
    const damage = checked.has(slot.tree) ? null : damageOf(home, slot)
    if (damage) {
      event('crash', name, damage)
      if (trial) undo(name, damage)
      else if (!fallBack(name, `revision ${label(slot)} cannot start: ${damage}`)) return 1
      continue
    }
    checked.add(slot.tree)
    if (trial && slot.triesLeft <= 0) {
      undo(name, 'it did not start in three tries')
      continue
    }
    if (!trial && table.restore && table.backup !== null) await putBack(name)
    if (trial && table.backup === null && database !== '') {
      try {
        table.restore = false
        table.backup = await save(database, backups, 'before-change')
      } catch (error) {
        undo(name, `the database could not be backed up (${error.message})`)
        continue
      }
    }
    if (trial) slot.triesLeft--
    if (!settle() && trial) {
      undo(name, 'its tries could not be counted on the disk')
      continue
    }
    const end = await run(name)

    if (stopping) {
      // A signal that came before the engine could listen for it ended it on the spot; there was nothing to drain.
      const early = { SIGTERM: STOPPED, SIGHUP: STOPPED, SIGINT: 130 }
      if (trial) slot.triesLeft++
      settle()
      return end.code === RESTART ? STOPPED : (end.code ?? early[end.signal] ?? 1)
    }
    if (end.code === STOPPED && end.why === null && (!trial || (end.ready && end.announced === 'stop'))) {
      if (trial) slot.triesLeft++
      settle()
      return STOPPED
    }
    if (end.code === BAD_CONFIGURATION && !wasReady && !(trial && slot.source === 'change') && table.backup === null) {
      if (trial) slot.triesLeft++
      settle()
      return 1
    }
    const quick = end.upMs < LOOP.quickMs * scale
    if (end.code === RESTART && end.why === null) {
      const [was, safe] = [table.active, table.safe]
      table.safe = false
      takeRequest('request.json', 'change')
      if (was !== table.active || safe) continue
      const asked = end.ready && end.announced === 'restart'
      if (trial && asked) {
        restarts.push(Date.now())
        while (restarts[0] <= Date.now() - LOOP.withinMs * scale) restarts.shift()
        if (restarts.length > LOOP.most) {
          undo(name, 'it asked for one restart after the other')
          continue
        }
        slot.triesLeft++
      }
      // On trial an end that nobody asked for is a crash, whatever its code.
      if (asked || (!trial && !quick)) continue
    } else event('crash', name, end.how)

    // What is left is a crash, or an engine that asks for one start after the other.
    if (!end.ready && !trial && table.backup !== null) {
      if (await putBack(name)) continue
    }
    if (trial && slot.triesLeft <= 0) {
      undo(name, `it did not start in three tries (${end.how})`)
      continue
    }
    if (trial && (end.ready || end.lied || end.code === BAD_CONFIGURATION)) {
      undo(name, end.how)
      continue
    }
    const now = Date.now()
    crashes.push(now)
    while (crashes[0] <= now - LOOP.withinMs * scale) crashes.shift()
    const reason =
      end.code === RESTART && end.why === null
        ? 'the engine asks for one restart after the other'
        : end.how.replace(/^it(s)? /, (_, of) => `the engine${of ? "'s" : ''} `)
    if (crashes.length >= LOOP.most) {
      if (fallBack(name, `${reason}, ${LOOP.most} times in a short time`)) continue
      say(
        `${reason}, ${LOOP.most} times in a short time, in safe mode too; it stays stopped: read the errors above, mend the cause and start it again`,
      )
      return 1
    }
    const ms = Math.min(5_000, 200 * 2 ** (crashes.length - 1)) * Math.min(1, scale * 10)
    if (end.code !== RESTART) say(`${reason}; starting it again in ${Math.round(ms)} ms`)
    await pause(end.code === RESTART ? 0 : ms)
  }
}

const label = (slot) => (slot.commit ?? slot.tree).slice(0, 12)

const owner = own(home)
const code = await keep()
owner.close()
process.exit(code)
