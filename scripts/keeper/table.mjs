/** The slot table and the list of what happened. The table is the only thing that decides what starts; a damaged one gives way to the one before. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, readText } from './disk.mjs'

export const TRIES = 3
const EMPTY = { version: 1, active: 'A', good: null, safe: false, lastRequest: null, backup: null, failed: {} }
const sumOf = (table) => createHash('sha256').update(JSON.stringify(table)).digest('hex')
export const other = (name) => (name === 'A' ? 'B' : 'A')

/** True for a table that this keeper wrote whole. */
function isWhole(kept) {
  const { sum, ...table } = kept ?? {}
  return table.version === 1 && sum === sumOf(table)
}

export function openTable(home, disk, say) {
  const [file, before, log] = ['slots.json', 'slots.bak.json', 'events.jsonl'].map((name) => join(home, name))
  const found = [file, before].map(readJson).find(isWhole)
  const { sum: _, ...rest } = found ?? {}
  const table = { ...EMPTY, slots: { A: null, B: null, golden: null }, ...rest }
  if (!found && existsSync(file)) say('the slot table is damaged; beginning a new one from the checkout')
  const lines = (readText(log) ?? '').split('\n')
  // A line that a power cut left half must not take the next one with it.
  if (lines.at(-1) !== '') disk.append(log, '\n')
  let seq = lines.reduce((most, line) => Math.max(most, Number(/"seq":(\d+)/.exec(line)?.[1] ?? 0)), 0)

  /** A full disk loses the line, not the system. */
  function append(event) {
    seq = Math.max(seq, event.seq)
    try {
      disk.append(log, `${JSON.stringify(event)}\n`)
    } catch (error) {
      say(`${event.type} could not be noted (${error.code})`)
    }
    return event
  }
  // Decided and not yet told when the power went.
  if (table.last?.seq > seq) append(table.last)

  return {
    table,
    /** Makes what `table` says now last. The text before is kept. */
    save() {
      table.good = [table.active, other(table.active)].find((name) => table.slots[name]?.state === 'kept') ?? null
      const text = `${JSON.stringify({ ...table, sum: sumOf(table) }, null, 1)}\n`
      const old = readText(file)
      if (old === text) return
      if (old && isWhole(readJson(file))) disk.write(before, old)
      disk.write(file, text)
    },
    /** The next line of what happened; it lasts once it is appended, or saved as `table.last`. */
    draw(type, slot, reason = null, change = undefined) {
      const { tree = null, commit = null, changeId = null } = table.slots[slot] ?? {}
      return { seq: seq + 1, at: new Date().toISOString(), type, slot, tree, commit, changeId, ...change, reason }
    },
    append,
  }
}
