/** The hash that git gives a folder, computed from its files. What git's plain files and folders cannot hold is refused. */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A request that is not taken; the message says why. */
export class Refusal extends Error {}

const object = (kind, data) => createHash('sha1').update(`${kind} ${data.length}\0`).update(data).digest()

/** Of the tree (40 hex digits) and of each folder in it. Paths in `skip` are not looked at. Throws a Refusal for links and special files. */
export function hashTree(folder, skip = ['node_modules', 'web/dist']) {
  const parts = new Map()
  const walk = (path) => {
    const entries = []
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`
      if (skip.includes(name)) continue
      if (entry.name.toLowerCase() === '.git') throw new Refusal(`${name} may not be part of a revision`)
      if (entry.isDirectory()) {
        const hash = walk(name)
        if (hash) entries.push({ name: entry.name, mode: '40000', hash })
      } else if (entry.isFile()) {
        const mode = lstatSync(join(folder, name)).mode & 0o100 ? '100755' : '100644'
        entries.push({ name: entry.name, mode, hash: object('blob', readFileSync(join(folder, name))) })
      } else throw new Refusal(`${name} is a link or a special file, and a revision holds plain files only`)
    }
    if (entries.length === 0 && path !== '') return null // git has no empty folders
    // Git sorts folders as if their names ended with a slash.
    const key = ({ name, mode }) => Buffer.from(mode === '40000' ? `${name}/` : name)
    entries.sort((a, b) => Buffer.compare(key(a), key(b)))
    const hash = object('tree', Buffer.concat(entries.flatMap((one) => [Buffer.from(`${one.mode} ${one.name}\0`), one.hash])))
    parts.set(path, hash.toString('hex'))
    return hash
  }
  walk('')
  return parts
}

/** Names the packages that a lock file asks for on this kind of machine. */
export const packagesKey = (lock) => createHash('sha256').update(`${process.platform} ${process.arch}\n`).update(lock).digest('hex')
