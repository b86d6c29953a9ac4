/**
 * Brings a bare checkout to the point where the TypeScript in it runs: the pinned Node, the locked packages, the built web page.
 * Runs under any Node from 20 on and uses the standard library only, because nothing else is there yet.
 *
 * Nothing is done that is done already: `node_modules` carries a stamp of the lock file it was filled from, `web/dist` one of its sources.
 * Of two that prepare at once one works and the other waits. Killed at any point, the next one starts over.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { basename, delimiter, join } from 'node:path'

/** Something a person can mend; the message is the whole of what they are told. */
export class Stop extends Error {}

/** Words for a person go to stderr, so that stdout stays the command's own. */
const say = (text) => process.stderr.write(`banyan: ${text}\n`)

/**
 * Promises a Node that can run this checkout, its packages and (with `page`) its web page, and answers that Node's path.
 * @param {string} root the checkout
 * @param {{ page: boolean }} wanted
 */
export async function prepare(root, { page }) {
  const missing = () => {
    const packages = !installed(root)
    return { packages, page: page && (packages || !pageBuilt(root)) }
  }
  let todo = missing()
  if (todo.packages || todo.page) {
    const lock = await takeLock(join(root, 'node_modules.lock'))
    try {
      todo = missing()
      if (todo.packages) await install(root, lock)
      if (page && !pageBuilt(root)) await buildPage(root, lock)
    } finally {
      lock.release()
    }
  }
  const node = installed(root)
  if (!node) throw new Stop('the packages changed while this was starting; run the same command again')
  return node
}

/**
 * Runs `file` under `node` with our stdio, exit code and signals. A Node that can (from 22.15 on) turns into it; an older one stays as
 * its parent and passes signals on.
 * @param {string} root @param {string} node @param {string} file @param {string[]} args
 */
export async function launch(root, node, file, args) {
  const env = { ...process.env }
  env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'banyan', 'compile')
  if (process.execve) process.execve(node, [node, file, ...args], env)
  const child = spawn(node, [file, ...args], { stdio: 'inherit', env })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  const [code, signal] = await ended(child)
  if (signal) {
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  } else process.exitCode = code ?? 1
}

/* Packages */

const stampFile = (root) => join(root, 'node_modules', '.banyan-stamp.json')
const sha256 = (data) => createHash('sha256').update(data).digest('hex')

/** The Node to use if `node_modules` was filled from today's lock file, else null. Reads three small files and starts nothing. */
function installed(root) {
  const stamp = readJson(stampFile(root))
  if (!stamp || stamp.key !== installKey(root)) return null
  if (stamp.node === null) return mayRunUs(process.version) ? process.execPath : null
  const node = join(root, stamp.node.path)
  const file = statSync(node, { throwIfNoEntry: false })
  return file && file.size === stamp.node.size && file.mtimeMs === stamp.node.mtimeMs ? node : null
}

const installKey = (root) => sha256(`${process.platform} ${process.arch}\n${readLock(root)}`)
function readLock(root) {
  try {
    return readFileSync(join(root, 'package-lock.json'), 'utf8')
  } catch (error) {
    throw new Stop(`package-lock.json cannot be read (${error.code}): restore it with "git checkout package-lock.json"`)
  }
}

/** Path (below the checkout) and version of the Node package for this kind of machine; null where npm has none. */
function pinnedNode(root) {
  const name = `node-${process.platform}-${process.arch}`
  const version = readJson(join(root, 'package.json'))?.optionalDependencies?.[name]
  return version ? { path: `node_modules/${name}/bin/node`, version } : null
}

/** Node 24 from 24.15 on runs our TypeScript as it stands and loads our native module; Node 20 crashes in the latter. */
const mayRunUs = (version) => {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major === 24 && minor >= 15
}

async function install(root, lock) {
  const pinned = pinnedNode(root)
  if (!pinned && !mayRunUs(process.version)) throw new Stop(needNode('npm has no ready-made one for this kind of machine'))
  if (!fitsLock(root) || (pinned && !runs(root, pinned) && !mayRunUs(process.version))) {
    try {
      accessSync(root, constants.W_OK)
    } catch (error) {
      throw new Stop(`${root} is not writable (${error.code}), so its packages cannot be installed: change its owner, or clone elsewhere`)
    }
    rmSync(stampFile(root), { force: true })
    say('installing the locked packages (npm ci); the first time this takes up to a minute')
    const began = Date.now()
    await npmCi(root, lock)
    say(`packages installed in ${Math.round((Date.now() - began) / 1000)} s`)
  }
  const usable = pinned && runs(root, pinned) ? pinned.path : null
  if (!usable && !mayRunUs(process.version)) throw new Stop(needNode('the one from npm does not run on this machine'))
  const file = usable ? statSync(join(root, usable)) : null
  mkdirSync(join(root, 'node_modules'), { recursive: true }) // npm makes none for a lock file without packages
  writeWhole(
    stampFile(root),
    JSON.stringify({ key: installKey(root), node: file && { path: usable, size: file.size, mtimeMs: file.mtimeMs } }),
  )
}

const needNode = (why) =>
  `Banyan needs Node 24 (24.15 or later), this is ${process.version}, and ${why} (${process.platform}-${process.arch}): ` +
  'install Node 24 from https://nodejs.org and run the same command with it'

function runs(root, pinned) {
  const answer = spawnSync(join(root, pinned.path), ['--version'], { encoding: 'utf8' })
  return answer.stdout?.trim() === `v${pinned.version}`
}

/** True when npm's own record of what lies in `node_modules` says the same as the lock file, as after a plain `npm install`. */
function fitsLock(root) {
  const wanted = JSON.parse(readLock(root)).packages
  const there = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (!there) return false
  const same = (path) => wanted[path]?.version === there[path].version && wanted[path]?.integrity === there[path].integrity
  const needed = Object.keys(wanted).filter((path) => path !== '' && !wanted[path].optional && !wanted[path].devOptional)
  return (
    Object.keys(there).every((path) => same(path) && existsSync(join(root, path, 'package.json'))) && needed.every((path) => there[path])
  )
}

async function npmCi(root, lock) {
  const { command, args } = npm()
  const flags = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const [code, words] = await lock.run(command, [...args, ...flags], { cwd: root }, 'still installing')
  if (code !== 0) throw new Stop(`the packages could not be installed: ${installMend(words, code)}`)
}

/** The npm that started us, run by the Node that ran it; else the one on PATH. */
function npm() {
  const { npm_execpath: path = '', npm_node_execpath: node } = process.env
  if (/^npm(-cli)?\.c?js$/.test(basename(path)) && existsSync(path)) {
    return { command: node && existsSync(node) ? node : process.execPath, args: [path] }
  }
  const found = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'npm')))
  if (!found) throw new Stop('npm was not found: install it (it comes with Node from https://nodejs.org) and run the same command again')
  return { command: 'npm', args: [] }
}

/** What npm's words mean for the person who reads them. */
function installMend(words, code) {
  const known = [
    [
      /EUSAGE|can only install packages when/,
      'package.json and package-lock.json disagree; run "npm install" and commit both, or restore both',
    ],
    [/ENOSPC/, 'the disk is full; free about 700 MB and run the same command again'],
    [/EINTEGRITY/, 'a download was damaged or is not what was locked; run "npm cache clean --force" and the same command again'],
    [/EACCES|EPERM|EROFS/, 'a file or folder may not be written (named above); mend its owner and run the same command again'],
    [
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|network/,
      'the package registry cannot be reached; check the network, the proxy and "npm config get registry", then run the same command again',
    ],
    [/E401|E403/, 'the package registry refused access; check "npm config get registry" and its login'],
    [/E404|ETARGET/, 'the package registry lacks a locked package (named above); check "npm config get registry"'],
  ].find(([pattern]) => pattern.test(words))
  return known ? known[1] : `npm ci ended with ${code}; its words are above`
}

/* The web page */

const pageStamp = (root) => join(root, 'web', 'dist', '.stamp')
const hasPage = (root) => existsSync(join(root, 'web', 'vite.config.ts'))
const pageBuilt = (root) => !hasPage(root) || readText(pageStamp(root)) === pageKey(root)

/** Everything the built page is made of; contents rather than times, because git sets times as it likes. */
export function pageKey(root) {
  const hash = createHash('sha256').update(readLock(root))
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) {
        if (path !== 'web/dist' && entry.name !== 'node_modules') walk(path)
      } else if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) {
        hash.update(`\0${path}\0`).update(readFileSync(join(root, path)))
      }
    }
  }
  walk('web')
  if (existsSync(join(root, 'core', 'contract'))) walk('core/contract')
  return hash.digest('hex')
}

/** Builds beside the old page and then changes places, so that a server that is running never serves half a page. */
async function buildPage(root, lock) {
  say('building the web page')
  const key = pageKey(root)
  const fresh = join(root, 'web', `dist.new-${process.pid}`)
  const dist = join(root, 'web', 'dist')
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const env = { ...process.env, NODE_ENV: 'production' }
  try {
    const args = [vite, 'build', 'web', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn']
    const [code] = await lock.run(installed(root), args, { cwd: root, env }, 'still building')
    if (code !== 0) throw new Stop(`the web page could not be built (vite ended with ${code}; its words are above)`)
    writeFileSync(join(fresh, '.stamp'), key)
    rmSync(dist, { recursive: true, force: true })
    renameSync(fresh, dist)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/* One at a time */

/**
 * A folder that exists while somebody prepares; inside, who. It is made whole under another name and renamed, so it is never there without
 * its owner's name. One whose owner (and the npm or vite that it started) is dead is pushed aside.
 */
async function takeLock(path) {
  for (let told = false; ; ) {
    const own = { host: hostname(), holders: [identity(process.pid)] }
    const made = `${path}.${process.pid}`
    rmSync(made, { recursive: true, force: true })
    try {
      mkdirSync(made)
      writeFileSync(join(made, 'owner.json'), JSON.stringify(own))
      renameSync(made, path)
      return heldLock(path, own)
    } catch (error) {
      rmSync(made, { recursive: true, force: true })
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') {
        throw new Stop(
          `${path} cannot be made (${error.code}): free space, or change the owner of the checkout, and run the same command again`,
        )
      }
    }
    const text = readText(join(path, 'owner.json'))
    if (text !== null && isDead(path, text)) pushAside(path, text)
    else {
      if (!told) say('another start is installing or building in this checkout; waiting for it')
      told = true
      await new Promise((resume) => setTimeout(resume, 200))
    }
  }
}

function heldLock(path, own) {
  const release = () => rmSync(path, { recursive: true, force: true })
  return {
    release,
    /** Runs a child that the lock covers too: while it lives nobody else begins, even if we are killed. Answers exit code and last words. */
    async run(command, args, options, patience) {
      const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
      const end = ended(child)
      if (child.pid) writeWhole(join(path, 'owner.json'), JSON.stringify({ ...own, holders: [...own.holders, identity(child.pid)] }))
      let words = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          process.stderr.write(chunk)
          words = (words + chunk).slice(-8192)
        })
      }
      const began = Date.now()
      const beat = setInterval(() => say(`${patience} (${Math.round((Date.now() - began) / 1000)} s)`), 15_000)
      const stop = (signal) => {
        child.kill(signal)
        end.then(() => {
          release()
          process.exit(signal === 'SIGINT' ? 130 : 143)
        })
      }
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
      for (const signal of signals) process.on(signal, stop)
      const [code, signal] = await end
      clearInterval(beat)
      for (const name of signals) process.off(name, stop)
      return [code ?? signal, words]
    },
  }
}

/** A process id alone is used again some day; with its start time it is not. */
function identity(pid) {
  const stat = readText(`/proc/${pid}/stat`)
  const start = stat
    ? stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    : spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim()
  return { pid, start: start ?? '' }
}

function isDead(path, text) {
  const { host, holders } = JSON.parse(text)
  // Another machine's or container's processes cannot be seen from here; no install takes a quarter of an hour.
  if (host !== hostname()) return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 900_000
  return holders.every(({ pid, start }) => identity(pid).start !== start || isZombie(pid))
}
const isZombie = (pid) => / [ZX] /.test(readText(`/proc/${pid}/stat`)?.replace(/^.*\)/s, '')?.slice(0, 3) ?? '')

/** Two may find the same dead lock; whoever moved away a living one by that puts it back. */
function pushAside(path, seen) {
  const aside = `${path}.dead-${process.pid}`
  try {
    renameSync(path, aside)
    if (readText(join(aside, 'owner.json')) !== seen) renameSync(aside, path)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error
  }
  rmSync(aside, { recursive: true, force: true })
}

/* Small things */

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Stop(`${child.spawnfile} could not be started (${error.code})`)))
    child.once('close', (code, signal) => resolve([code, signal]))
  })
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // not there (yet, or any more): every caller asks exactly that
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null // not there, or cut off by a kill: the same as not there
  }
}

/** A reader sees the old text or the new, never a part. */
function writeWhole(path, text) {
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, text)
  renameSync(fresh, path)
}
