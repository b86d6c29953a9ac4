/** What may stand on a git command line: every name that comes from a model is checked here before it becomes an argument. Pure. */
import { posix } from 'node:path'
import { Fault } from '../contract/fault.ts'

const quoted = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
const bad = (what: string, given: string, why: string): Fault => new Fault('invalid', `The ${what} ${quoted(given)} ${why}`)
const hasControl = (text: string): boolean => [...text].some((char) => char < ' ' || char === '\x7f')

/** A branch as `git check-ref-format --branch` takes it, and tighter: no words that git reads as something else. */
export function branchName(given: string): string {
  const refuse = (why: string) => bad('branch', given, why)
  if (given === '' || given.length > 200) throw refuse('must have 1 to 200 characters.')
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._/+-]*$/u.test(given))
    throw refuse('may hold letters, digits and . _ / + - only, and begins with a letter or a digit.')
  if (/\.\.|\/\/|\/\.|\/-|[./]$|\.lock(\/|$)/.test(given)) throw refuse('is not a name that git allows for a branch.')
  if (given === 'HEAD' || given.startsWith('refs/')) throw refuse('is a word that git reads as something else; give the plain name.')
  return given
}

/** A commit to look at: a branch, a tag, a hash, `HEAD`, each with `~N` or `^N` behind it. Nothing that could be an option or a range. */
export function revision(given: string): string {
  const found = /^(.+?)((?:[~^]\d{0,4})*)$/.exec(given)
  if (given.length > 250 || !found) throw bad('commit', given, 'must be a branch, a tag, a hash or HEAD, such as "HEAD~2".')
  const [, name] = found
  if (name !== 'HEAD') {
    try {
      branchName(name!)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw bad(
        'commit',
        given,
        'must be a branch, a tag, a hash or HEAD, such as "HEAD~2"; ranges, options and other forms are not taken.',
      )
    }
  }
  return given
}

/** A path in the work tree. It is always handed to git literally and after `--`, yet nothing that leaves the tree comes that far. */
export function pathInTree(given: string): string {
  const refuse = (why: string) => bad('path', given, why)
  if (given === '' || given.length > 4_000) throw refuse('must have 1 to 4,000 characters.')
  if (hasControl(given)) throw refuse('holds a control character.')
  if (given.includes('\\')) throw refuse('holds a backslash; put / between folders.')
  if (given.startsWith('/')) throw refuse('is absolute; paths are relative to the top of the repository.')
  const normal = posix.normalize(given).replace(/\/$/, '')
  const parts = normal.split('/')
  if (parts[0] === '..') throw refuse('leaves the repository.')
  if (parts.some((part) => isDotGit(part))) throw refuse("names git's own files, which stay closed.")
  return normal
}
/** As file systems that ignore case, or Windows' short names, would read it. */
const isDotGit = (part: string): boolean =>
  /^(\.git|git~\d+)[. ]*(::.*)?$/i.test(part.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, ''))

/** The name of a repository of a tree, which is a folder's name in two places. */
export function repositoryName(given: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_-]{1,30}){0,3}$/.test(given) || /\.(git|lock)$/i.test(given))
    throw bad('repository name', given, 'may hold letters, digits, _ and - (and single dots), at most 64 characters, without ".git".')
  return given
}

export type Source = { kind: 'path'; path: string } | { kind: 'file' | 'http'; url: string }

/** From where a repository may be cloned: a folder of this machine, or an http(s) or file address without a login in it. */
export function sourceOf(given: string): Source {
  const refuse = (why: string) => bad('source', given, why)
  if (given === '' || given.length > 2_000) throw refuse('must have 1 to 2,000 characters.')
  if (hasControl(given)) throw refuse('holds a control character.')
  if (given.startsWith('-')) throw refuse('begins with "-".')
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(given)?.[1]?.toLowerCase()
  if (given.includes('::')) throw refuse('names a transport; give a folder, or an http, https or file address.')
  if (scheme === undefined) {
    if (given.includes('\\')) throw refuse('holds a backslash; put / between folders.')
    if (/^[^/]*@[^/]*$|^[^/]+:/.test(given)) throw refuse('is an address for ssh, which is not used here; give an https address.')
    return { kind: 'path', path: given }
  }
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'file')
    throw refuse('must be a folder, or an http, https or file address; no other transport is used.')
  const url = URL.parse(given)
  if (!url || !/^[a-z]+:\/\//i.test(given)) throw refuse('is not a whole address.')
  if (url.username !== '' || url.password !== '') throw refuse('holds a login; addresses are shown and kept, so leave it out.')
  if (scheme === 'file' && url.hostname !== '') throw refuse('names another machine; write file:/// and the path.')
  if (url.search !== '' || url.hash !== '') throw refuse('has a ? or # part; leave it out.')
  return scheme === 'file' ? { kind: 'file', url: url.href } : { kind: 'http', url: url.href }
}

/** The name that a clone gets when nobody says otherwise: the last part of its source. */
export function nameOfSource(given: string): string {
  const last =
    given
      .replace(/\/+$/, '')
      .replace(/(\/\.git|\.git)$/i, '')
      .split('/')
      .at(-1) ?? ''
  const name = last
    .replace(/%[0-9a-f]{2}/gi, '-')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, 60)
  return name === '' ? 'repository' : name
}

/** A commit's words: no NUL, not empty. Git's own comment lines and trailers are text like any other here. */
export function commitMessage(given: string): string {
  if (given.includes('\0')) throw new Fault('invalid', 'The message of the commit holds a NUL character; leave it out.')
  const text = given.replace(/\r\n?/g, '\n').trim()
  if (text === '') throw new Fault('invalid', 'The commit needs a message that says what it changes.')
  return `${text}\n`
}

/** What stands in the author line: git drops these characters itself, and a line break would begin another header. */
export const authorName = (given: string): string =>
  given
    .replace(/[\p{Cc}<>]/gu, ' ')
    .trim()
    .slice(0, 100) || 'agent'
