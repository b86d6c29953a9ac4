/** The slot table, with the newest of what happened. It is the only thing that decides what starts; a damaged one gives way to the one before. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJson } from './disk.mjs'

export const TRIES = 3
/** So many events are kept. The engine reads them at each of its starts, and no keeper that starts nothing healthy tells as many before it ends. */
const EVENTS = 200
const EMPTY = { active: 'A', good: null, safe: false, lastRequest: null, backup: null, failed: {}, events: [] }
const sumOf = (table) => createHash('sha256').update(JSON.stringify(table)).digest('hex')

export const other = (name) => (name === 'A' ? 'B' : 'A')
/** Whether there is something to go back to when this slot fails. */
export const isOnTrial = ({ slots }, name) => name !== 'golden' && slots[name]?.state === 'trial' && slots[other(name)]?.state === 'kept'

/** The table in this file, if a keeper wrote it whole; else undefined. */
function read(path) {
  const { sum, ...table } = readJson(path) ?? {}
  return table.version <= 2 && sum === sumOf(table) ? table : undefined
}

export function openTable(home, disk, say) {
  const [file, before] = ['slots.json', 'slots.bak.json'].map((name) => join(home, name))
  const found = read(file) ?? read(before)
  if (!found && existsSync(file)) say('the slot table is damaged; beginning a new one from the checkout')
  const table = { ...EMPTY, slots: { A: null, B: null, golden: null }, ...found, version: 2 }
  const write = (path, table) => disk.write(path, `${JSON.stringify({ ...table, sum: sumOf(table) }, null, 1)}\n`)
  return {
    table,
    /** Makes what `table` says now last. The one before is kept. */
    save() {
      table.good = [table.active, other(table.active)].find((name) => table.slots[name]?.state === 'kept') ?? null
      const old = read(file)
      if (old && sumOf(old) === sumOf(table)) return
      if (old) write(before, old)
      write(file, table)
    },
    /** Adds to what happened; it lasts with the next save. Numbers follow the clock, so that they grow even when a table was lost. */
    event(type, slot, reason = null, about = undefined) {
      const { tree = null, commit = null, changeId = null } = table.slots[slot] ?? {}
      const seq = Math.max(Date.now(), (table.events.at(-1)?.seq ?? 0) + 1)
      const event = { seq, at: new Date().toISOString(), type, slot, tree, commit, changeId, ...about, reason }
      table.events = [...table.events, event].slice(-EVENTS)
      return event
    },
  }
}
