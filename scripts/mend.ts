/** Why a start failed, in one sentence for the person who can mend it. Pure. */
import { Fault } from '../core/contract/fault.ts'

type Where = { host: string; port: number; dataDir: string; databaseUrl: string }

/** null: no known cause, so it is a bug or a rarity and its stack is worth more than a sentence. Causes of causes are looked at too. */
export function mendOf(error: unknown, where: Where | null): string | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof Fault) return one.message
    const sentence = known(one, where)
    if (sentence) return sentence
  }
  return null
}

function known(error: Error, where: Where | null): string | null {
  const { code, syscall, path } = error as NodeJS.ErrnoException
  const folder = where ? where.dataDir : (path ?? 'the data directory')
  const [host, port] = [where?.host ?? 'HOST', where?.port ?? 'PORT']
  if (syscall === 'listen' || syscall === 'bind') {
    if (code === 'EADDRINUSE') return `port ${port} on ${host} is already in use: stop what listens there, or set PORT to a free one.`
    if (code === 'EACCES') return `this user may not listen on port ${port}: set PORT to one above 1023.`
    if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine: set HOST to one that is, such as 127.0.0.1.`
  }
  if (syscall === 'getaddrinfo' && where && !where.databaseUrl.startsWith('postgres:')) {
    return `the name ${host} leads to no address (${code}): set HOST to an address of this machine, such as 127.0.0.1.`
  }
  // What Node says when it cannot make a folder on a read-only file system.
  if (code === 'ENOENT' && syscall === 'mkdir') {
    return `${path} cannot be made, because the folder above it is read-only or gone: make that writable, or set DATA_DIR to another folder.`
  }
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `${path ?? folder} may not be written by this user (${code}): change its owner or rights, or set DATA_DIR to a folder of yours.`
    case 'EROFS':
    case 'SQLITE_READONLY':
    case 'SQLITE_READONLY_DIRECTORY':
    case 'SQLITE_READONLY_DBMOVED':
      return `${path ?? folder} is read-only (${code}): make it writable, or set DATA_DIR to a folder that is.`
    case 'ENOSPC':
    case 'EDQUOT':
    case 'SQLITE_FULL':
      return `the disk of ${folder} is full (${code}): free space there, or set DATA_DIR to another disk.`
    case 'ENOTDIR':
    case 'EEXIST':
      return `${path ?? folder} is not a folder (${code}): move that file away, or set DATA_DIR to another place.`
    case 'SQLITE_CANTOPEN':
      return `a database in ${folder} cannot be opened or made (${code}): check that the folder exists and this user may write in it.`
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return `a database in ${folder} is damaged or not a database (${code}): restore it from a backup, or move it away.`
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'ETIMEDOUT':
      return where?.databaseUrl.startsWith('postgres:')
        ? `the PostgreSQL server of DATABASE_URL cannot be reached (${code}): start it, or mend DATABASE_URL.`
        : null
    case '28P01':
    case '28000':
      return `PostgreSQL refused the user or password of DATABASE_URL (${code}): mend DATABASE_URL.`
    case '3D000':
      return `the database that DATABASE_URL names does not exist (${code}): create it, or mend DATABASE_URL.`
    default:
      return code?.startsWith('SQLITE_IOERR')
        ? `the disk of ${folder} failed or is full (${code}): check it, or set DATA_DIR to another disk.`
        : null
  }
}
