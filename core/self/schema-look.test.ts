/** What a database was before a migration, and what up and down may have done to it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listFaults } from './migrations.ts'
import { lookAtSchema, notBack, takenAway } from './schema-look.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-schema-'))
  file = join(folder, 'x.db')
  run(`create table schema_migrations (number integer primary key);
    insert into schema_migrations values (1);
    create table trees (id text primary key, goal text);
    insert into trees values ('a', 'one'), ('b', 'two');
    create table tasks (id text primary key, tree_id text references trees(id));
    insert into tasks values ('t', 'a');
    create index tasks_of_tree on tasks (tree_id);`)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function run(words: string) {
  const database = new Sqlite(file)
  database.pragma('foreign_keys = off')
  database.exec(words)
  database.close()
}
const UP = 'insert into schema_migrations values (2);'
const DOWN = 'delete from schema_migrations where number = 2;'

test('a table and a column more take nothing away, and go down without a trace', () => {
  const before = lookAtSchema(file).look
  run(`${UP} create table more (id text); alter table trees add column mood text not null default 'calm';`)
  const up = lookAtSchema(file, before)
  expect([up.faults, takenAway(before, up.look)]).toEqual([[], []])
  run(`${DOWN} drop table more; alter table trees drop column mood;`)
  expect(notBack(before, lookAtSchema(file, before).look)).toEqual([])
})

test.each([
  ['a table', 'drop table tasks', 'the table tasks is gone'],
  ['a column', 'alter table trees drop column goal', 'the table trees lost goal'],
  ['rows', "delete from trees where id = 'b'", 'rows of the table trees are not what they were'],
  ['words of rows', "update trees set goal = 'mine'", 'rows of the table trees are not what they were'],
  ['a name', 'alter table trees rename to woods', 'the table trees is gone'],
])('up that takes %s is seen', (_, words, says) => {
  const before = lookAtSchema(file).look
  run(`${UP} ${words};`)
  expect(takenAway(before, lookAtSchema(file, before).look)).toContain(says)
})

test('a migration that is not noted, or rows that lead nowhere, are seen', () => {
  const before = lookAtSchema(file).look
  run("insert into tasks values ('x', 'nobody')")
  const { look, faults } = lookAtSchema(file, before)
  expect(faults[0]).toMatch(/foreign key leads nowhere/)
  expect(takenAway(before, look)).toContain('no migration was applied')
})

test.each([
  ['leaves a table', DOWN, /down leaves table more/],
  ['takes an index of before', `${DOWN} drop table more; drop index tasks_of_tree`, /does not bring back index tasks_of_tree/],
  ['changes rows', `${DOWN} drop table more; delete from tasks`, /down changed rows of tasks/],
  ['does not note it', 'drop table more', /down leaves schema 2 noted/],
])('down that %s is seen', (_, words, says) => {
  const before = lookAtSchema(file).look
  run(`${UP} create table more (id text);`)
  run(words)
  expect(notBack(before, lookAtSchema(file, before).look).join('\n')).toMatch(says)
})

test('the list of migrations only grows, by one import and one name for each that is new', () => {
  const good = "+import * as more from './migrations/0099-more.ts'\n   changes,\n+  more,\n"
  expect(listFaults(good, 1)).toEqual([])
  for (const diff of [`${good}-  changes,\n`, `${good}+MIGRATIONS.length = 0\n`, "+import * as more from '../self/more.ts'\n+  more,\n"])
    expect(listFaults(diff, 1), diff).toHaveLength(1)
  expect(listFaults(good, 2)).toHaveLength(1)
})
