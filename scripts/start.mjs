/**
 * `npm start`: prepares the committed revision of this checkout as a slot, if the keeper does not have it yet, and turns into the keeper.
 * Uncommitted edits are neither touched nor run. Standard library only: a checkout whose code is broken still starts what ran before.
 *
 * `start.mjs [--working-tree] [options of the keeper]`; with `--working-tree` the files count as they lie here (a folder without git has no other way).
 */
import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { openDisk, readJson } from './keeper/disk.mjs'
import { own } from './keeper/own.mjs'
import { openTable } from './keeper/table.mjs'
import { damageOf, folderOf } from './keeper/take.mjs'
import { hashTree, packagesKey, Refusal } from './keeper/tree.mjs'
import { pageKey, prepare, Stop } from './prepare.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** The first process of a container takes in those that lost their parent, which Node does not do; it passes signals on and ends with the keeper's code. */
const FIRST = `"$@" & p=$!
for s in TERM INT HUP; do trap "kill -$s $p" $s; done
while :; do wait $p; c=$?; kill -0 $p 2>/dev/null || exit $c; done`
const say = (text) => process.stderr.write(`banyan: ${text}\n`)
/** Of the file that the keeper removes when the disk is full, so that the slot table can still be written. */
const BALLAST_BYTES = 256 * 1024
/** Never part of a revision, whatever is tracked. */
const OWN = /^(node_modules|data|\.git|\.env|node_modules\.lock.*)$/

/** A setting as the engine reads it: environment, then `.env`; each also as NAME_FILE. What is wrong with one is said by the engine. */
function settingsOf(env, file) {
  return (name) => {
    for (const source of [env, file]) {
      const value = source[name]?.trim()
      if (value) return value
      const path = source[`${name}_FILE`]?.trim()
      if (path) return readText(resolve(root, path))?.trim() || undefined
    }
    return undefined
  }
}

/** null: not there. */
function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw error
  }
}

const git = (args, options = {}) =>
  spawnSync('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false', ...args], {
    cwd: root,
    maxBuffer: 1 << 30,
    ...options,
  })
const words = (args) => {
  const { status, stdout } = git(args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

/** The revision to offer to the keeper; commit null: a folder of files. */
function headOf(workingTree) {
  // A folder inside somebody else's repository has no revision of its own.
  if (workingTree || words(['rev-parse', '--show-cdup']) !== '') return { commit: null, tree: null }
  const commit = words(['rev-parse', '--verify', 'HEAD^{commit}'])
  return commit ? { commit, tree: words(['rev-parse', 'HEAD^{tree}']) } : { commit: null, tree: null }
}

/** Writes the files of a commit as git keeps them: no filter, no line ends, no links. */
function materialise(commit, folder) {
  const { status, stdout } = git(['ls-tree', '-r', '-z', '--full-tree', commit])
  if (status !== 0) throw new Stop(`the files of commit ${commit.slice(0, 12)} cannot be read: run "git fsck"`)
  const files = stdout
    .toString()
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => /^(\d+) (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line).slice(1))
  const strange = files.find(([mode, kind]) => kind !== 'blob' || !mode.startsWith('100'))
  if (strange) throw new Stop(`${strange[3]} is a link or a submodule, which a revision of Banyan cannot hold: remove it and commit`)
  const blobs = git(['cat-file', '--batch'], { input: files.map(([, , hash]) => `${hash}\n`).join('') }).stdout
  let at = 0
  for (const [mode, , , path] of files) {
    const end = blobs.indexOf(10, at)
    const size = Number(blobs.toString('latin1', at, end).split(' ')[2])
    put(join(folder, path), blobs.subarray(end + 1, end + 1 + size), mode === '100755')
    at = end + 1 + size + 1
  }
}

function put(path, data, executable) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, data)
  chmodSync(path, executable ? 0o755 : 0o644)
}

/** The same from the files as they lie here. */
function copyFiles(folder, dataDir) {
  const listed = words(['rev-parse', '--show-cdup']) === '' ? git(['ls-files', '-co', '--exclude-standard', '-z']) : null
  const found = listed?.status === 0 ? listed.stdout.toString().split('\0').filter(Boolean) : readdirSync(root, { recursive: true })
  for (const path of found) {
    if (OWN.test(path.split('/')[0]) || /(^|\/)(node_modules|\.git)(\/|$)|^web\/dist/.test(path)) continue
    if (resolve(root, path).startsWith(dataDir)) continue
    const file = lstatSync(join(root, path), { throwIfNoEntry: false })
    if (file?.isFile()) put(join(folder, path), readFileSync(join(root, path)), (file.mode & 0o100) !== 0)
  }
}

/** Packages of a lock file, once for all revisions that have it. Hard links where they work: seconds, and npm in the checkout changes none. */
async function packages(home, folder) {
  const key = packagesKey(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
  const at = join(home, 'deps', key)
  if (existsSync(at)) return at
  const fresh = `${at}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  if (readJson(join(root, 'node_modules', '.banyan-stamp.json'))?.key === key) {
    const copy = (how) => spawnSync('cp', [how, join(root, 'node_modules'), fresh], { stdio: 'ignore' }).status === 0
    if (!copy('-al')) {
      rmSync(join(fresh, 'node_modules'), { recursive: true, force: true })
      say('copying the packages to DATA_DIR, which is on another disk; this is done once')
      if (!copy('-RpP')) throw new Stop(`the packages cannot be copied to ${fresh}: free about 700 MB there and start again`)
    }
    rmSync(join(fresh, 'node_modules', '.cache'), { recursive: true, force: true })
  } else {
    await prepare(folder, { page: false })
    renameSync(join(folder, 'node_modules'), join(fresh, 'node_modules'))
  }
  renameSync(fresh, at)
  return at
}

/** Puts the built page of a revision into it: the checkout's, if that is made of the same sources, else built from the revision. */
async function page(folder, deps) {
  if (!existsSync(join(folder, 'web', 'vite.config.ts'))) return null
  const built = join(root, 'web', 'dist')
  const to = join(folder, 'web', 'dist')
  if (readText(join(built, '.stamp')) === pageKey(folder)) cpSync(built, to, { recursive: true })
  else {
    symlinkSync(join(deps, 'node_modules'), join(folder, 'node_modules'))
    await prepare(folder, { page: true })
    rmSync(join(folder, 'node_modules'))
  }
  return hashTree(to, []).get('')
}

/** Offers the checkout's revision to the keeper unless it runs that already, or something newer that contains it. */
async function offer(home, dataDir, workingTree) {
  const { commit, tree } = headOf(workingTree)
  const table = readJson(join(home, 'slots.json'))
  const active = table?.slots?.[table.active]
  const short = commit?.slice(0, 12)
  if (commit && words(['status', '--porcelain', '--untracked-files=no']))
    say(`uncommitted edits are not run: this is commit ${short}. "npm run dev" runs the files as they are`)
  const whole = active && damageOf(home, active) === null
  if (commit && whole) {
    if (active.tree === tree) return
    if (table.failed?.[tree]) {
      say(
        `commit ${short} failed before (${table.failed[tree].reason}); ${label(active)} runs. Commit a mend, or try it again with "npx banyan keeper retry"`,
      )
      return
    }
    if (active.commit && git(['merge-base', '--is-ancestor', commit, active.commit]).status === 0) return
  }
  const fresh = join(home, 'incoming', `new-${process.pid}`)
  rmSync(join(home, 'incoming'), { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true, mode: 0o700 })
  if (commit) materialise(commit, fresh)
  else copyFiles(fresh, dataDir)
  const made = hashTree(fresh).get('')
  if (tree !== null && made !== tree) throw new Stop(`commit ${short} could not be copied as it is: run "git fsck"`)
  if (active?.tree === made && whole) return
  const deps = await packages(home, fresh)
  const built = await page(fresh, deps)
  const slot = { tree: made, page: built }
  if (damageOf(home, slot) !== null) {
    symlinkSync(join('..', '..', 'deps', basename(deps), 'node_modules'), join(fresh, 'node_modules'))
    // Many small files: one call for all; where it is missing, the keeper finds what a power cut leaves half.
    spawnSync('sync', ['-f', fresh])
    mkdirSync(join(home, 'slots'), { recursive: true, mode: 0o700 })
    rmSync(folderOf(home, slot), { recursive: true, force: true })
    renameSync(fresh, folderOf(home, slot))
  }
  if (active?.tree === made) return wholeAgain(home, made, built)
  const request = { id: randomUUID(), kind: 'change', commit, ...slot }
  writeFileSync(join(home, 'checkout.json.new'), JSON.stringify(request))
  renameSync(join(home, 'checkout.json.new'), join(home, 'checkout.json'))
}

/** Changes the slot table while no keeper runs. */
function rewrite(home, change) {
  const { table, save } = openTable(home, openDisk(home), say)
  change(table)
  save()
}

/** A person wants revisions that failed to be tried again. */
function forgetFailures(home) {
  const wish = join(home, 'retry')
  if (!existsSync(wish)) return
  if (existsSync(join(home, 'slots.json'))) rewrite(home, (table) => Object.assign(table, { failed: {} }))
  rmSync(wish)
}

/** Files of the active slot were lost or changed and were put there again; the slot stays what it is, with a page that may have been built anew. */
function wholeAgain(home, tree, built) {
  rewrite(home, ({ slots }) => {
    for (const slot of Object.values(slots)) if (slot?.tree === tree) slot.page = built
    say(`files of ${label(Object.values(slots).find((slot) => slot?.tree === tree))} were damaged and are whole again`)
  })
}

/** Puts it in place; on a disk that is too full for it there is none. */
export function fillBallast(home) {
  const file = join(home, 'ballast')
  if (statSync(file, { throwIfNoEntry: false })?.size === BALLAST_BYTES) return
  try {
    writeFileSync(file, '.'.repeat(BALLAST_BYTES))
  } catch {
    rmSync(file, { force: true })
  }
}
const label = (slot) => `revision ${(slot.commit ?? slot.tree).slice(0, 12)}`

/** The copy of the keeper that runs. Only the first start and a person (`banyan keeper install`) put one there. */
export function installKeeper(home, { replace }) {
  const from = join(root, 'scripts', 'keeper')
  const files = readdirSync(from)
    .filter((name) => name.endsWith('.mjs'))
    .sort()
  const hash = createHash('sha256')
  for (const name of files) hash.update(`${name}\0`).update(readFileSync(join(from, name)))
  const wanted = hash.digest('hex').slice(0, 16)
  const present = readText(join(home, 'bin', 'current'))?.trim()
  const whole = present && existsSync(join(home, 'bin', present, 'keeper.mjs')) ? present : null
  if (whole && (!replace || whole === wanted)) return { running: whole, wanted }
  const at = join(home, 'bin', wanted)
  rmSync(`${at}.new`, { recursive: true, force: true })
  mkdirSync(`${at}.new`, { recursive: true, mode: 0o700 })
  for (const name of files) cpSync(join(from, name), join(`${at}.new`, name))
  rmSync(at, { recursive: true, force: true })
  renameSync(`${at}.new`, at)
  writeFileSync(join(home, 'bin', 'current.new'), `${wanted}\n`)
  renameSync(join(home, 'bin', 'current.new'), join(home, 'bin', 'current'))
  return { running: wanted, wanted }
}

async function start(args) {
  const setting = settingsOf(process.env, parseEnv(readText(join(root, '.env')) ?? ''))
  const dataDir = resolve(root, setting('DATA_DIR') ?? 'data')
  const home = join(dataDir, 'keeper')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o711 })
    mkdirSync(home, { recursive: true, mode: 0o700 })
  } catch (error) {
    if (error.code === 'EEXIST' || error.code === 'ENOTDIR')
      throw new Stop(`${error.path ?? dataDir} is not a folder (${error.code}): move that file away, or set DATA_DIR to another place.`)
    throw new Stop(
      `${error.path ?? dataDir} cannot be made or written (${error.code}): change its owner or rights, or set DATA_DIR to a folder of yours.`,
    )
  }
  const owner = own(home)
  const { running, wanted } = installKeeper(home, { replace: false })
  if (running !== wanted) say('the keeper of this checkout is another one than the installed one; "npx banyan keeper install" installs it')
  try {
    fillBallast(home)
    forgetFailures(home)
    await offer(home, dataDir, args.includes('--working-tree'))
  } catch (error) {
    // What ran before can still run.
    if (!existsSync(join(home, 'slots.json'))) throw error
    if (!(error instanceof Stop || error instanceof Refusal)) console.error(error)
    say(`this checkout's revision cannot be prepared (${error.message}); what ran before starts`)
  }
  owner.close()
  const url = setting('DATABASE_URL')
  const database = url === undefined ? join(dataDir, 'agent_system.db') : url.startsWith('sqlite:///') ? resolve(root, url.slice(10)) : ''
  const options = {
    home,
    checkout: root,
    database,
    'watch-seconds': setting('KEEPER_WATCH_SECONDS'),
    'watch-tasks': setting('KEEPER_WATCH_TASKS'),
  }
  const argv = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]))
  const keeper = join(home, 'bin', running, 'keeper.mjs')
  const rest = args.filter((one) => one !== '--working-tree')
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', keeper, ...argv, ...rest]
  if (process.pid === 1) process.execve('/bin/sh', ['sh', '-c', FIRST, 'banyan', ...command], process.env)
  process.execve(process.execPath, command, process.env)
}

if (import.meta.main) {
  try {
    await start(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof Stop || error instanceof Refusal)) throw error
    say(error.message)
    process.exitCode = 1
  }
}
