/**
 * What a command starts, read strictly: programs with their flags, and everything that makes its text say less than what would happen.
 * It reads for always-allow rules, so whatever it cannot read for certain it names, and no rule covers that. `command-text.ts` reads the same
 * lines for a person's eyes, where a guess is better than nothing. Pure.
 */
import { join } from 'node:path/posix'
import { lineOf, programsOf } from '../contract/command-text.ts'

export type Program = { name: string; flags: string[]; words: string[] }
export type ParsedCommand = {
  programs: Program[]
  /** Every program that a reader could find in it, inside shells and wrappers too. */
  names: string[]
  /** Part of it is known only when it runs: substitutions, variables, here-documents. Not even the same text is the same command. */
  dynamic: string | null
  /** It names files outside the workspace, or sends its output there. */
  outside: string[]
  /** A `>` leads out of the workspace, or to where nobody can tell. */
  redirectsOut: boolean
  /** Ways in which it could run other programs or write elsewhere: only the whole text can be allowed. */
  dangers: string[]
}

const set = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Programs whose other words are only data: any words within the workspace are the same command. `sub`: the first word is part of its name. */
const DATA = set(
  'ls cat head tail wc pwd echo printf true false test date whoami id uname which type grep egrep fgrep rg stat file du df diff cmp basename dirname realpath readlink tree cut tr uniq nl od hexdump cksum md5sum sha1sum sha256sum sort mkdir touch cp mv find tar sed jq git',
)
/** Programs without a network, whatever their words. */
const LOCAL = set('rm rmdir ln chmod tee split zip unzip gzip gunzip awk gawk mawk sleep')
const SUBCOMMANDS = set('git')
const RUNS_OTHERS = set(
  'sh bash dash zsh ksh ash fish busybox env xargs parallel nohup timeout nice ionice stdbuf setsid time watch script exec eval source . command builtin trap sudo doas su pkexec ssh scp sftp rsync nc ncat netcat socat telnet nsenter chroot unshare bwrap docker podman kubectl npm pnpm yarn npx bunx uvx pipx corepack make cargo go gradle mvn crontab at batch systemctl service if then elif else fi while until do done for case esac function select { } [[ ! coproc',
)
const SHELLS = set('sh bash dash zsh ksh ash busybox')
const INTERPRETERS = set('node nodejs python python2 python3 perl ruby php deno bun lua luajit R Rscript tclsh expect osascript')
const NETWORK = set(
  'curl wget ssh scp sftp rsync nc ncat netcat socat telnet ftp mail sendmail mutt dig nslookup ping npm pnpm yarn npx bunx pip pip3 uv uvx pipx apt apt-get gem cargo go docker podman kubectl gh aws gcloud az',
)
const GIT_NETWORK = set('push pull fetch clone remote ls-remote submodule send-email')
const GIT_HOOKS = set(
  'commit merge rebase checkout switch push pull fetch am receive-pack worktree gc clone restore stash cherry-pick revert',
)
const GIT_PLAIN = set(
  'status log diff show ls-files ls-tree rev-parse blame branch add describe shortlog grep mv rm cat-file reflog rev-list',
)

/** Long options (also cut short, as GNU programs take them), single letters (also in a bundle), and whole words that start or write elsewhere. */
type Ways = { long?: readonly string[]; short?: string; word?: RegExp; say: string }
const WAYS: Readonly<Record<string, Ways>> = {
  git: {
    long: [
      'upload-pack',
      'receive-pack',
      'upload-archive',
      'exec',
      'exec-path',
      'config-env',
      'ext-diff',
      'textconv',
      'open-files-in-pager',
      'git-dir',
      'work-tree',
      'template',
    ],
    short: 'O',
    word: /^(ext::|core\.|alias\.|filter\.|diff\.|credential\.|url\.)/,
    say: 'git can be told to run another program or to use another repository',
  },
  find: { word: /^-(exec|execdir|ok|okdir|delete|fls|fprint0?|fprintf|files0-from)$/, say: 'find can run programs, delete and write' },
  tar: {
    long: [
      'to-command',
      'checkpoint-action',
      'checkpoint',
      'use-compress-program',
      'rsh-command',
      'rmt-command',
      'info-script',
      'new-volume-script',
      'absolute-names',
      'force-local',
    ],
    short: 'IFP',
    say: 'tar can run a program for each file, and write outside the folder',
  },
  rg: { long: ['pre', 'hostname-bin', 'search-zip'], short: 'z', say: 'rg can run a program on each file' },
  sort: { long: ['compress-program'], say: 'sort can run a compressor' },
  split: { long: ['filter'], say: 'split can pipe into a program' },
  zip: { long: ['unzip-command'], short: 'T', say: 'zip can run a program to test with' },
  curl: { long: [], word: /./, say: 'curl reaches the network, and can read and write files' },
  wget: { long: [], word: /./, say: 'wget reaches the network and writes files' },
  awk: {
    short: 'fiEel',
    long: ['file', 'include', 'exec', 'load', 'source'],
    word: /system|getline|[|>@]/,
    say: 'awk can run programs and write files',
  },
  sed: { short: 'fe', long: ['file', 'expression'], say: 'a sed script can run programs (e) and write files (w)' },
  tree: { short: 'oR', say: 'tree can write a file' },
  file: { short: 'CmMzZ', long: ['compile', 'magic-file', 'uncompress'], say: 'file can write, and run decompressors' },
  jq: {
    short: 'fL',
    long: ['from-file', 'rawfile', 'slurpfile'],
    word: /\b(input_filename|env|include|import|getpath)\b|\$ENV/,
    say: 'jq can load modules and read the environment',
  },
}
const SAME_AS: Readonly<Record<string, string>> = { gawk: 'awk', mawk: 'awk', egrep: 'grep', fgrep: 'grep' }
/** The sed scripts that only print, delete or replace. */
const PLAIN_SED =
  /^(\d+|\$|\/[^/]*\/)?(,(\d+|\$|\/[^/]*\/))?[pdq]$|^(\d+(,\d+)?)?s(?<mark>[/|#,])(?:(?!\k<mark>).)*\k<mark>(?:(?!\k<mark>).)*\k<mark>[gpiI\d]*$/

export function parseRun(run: { argv: readonly string[] } | { shell: string }, cwd = '.'): ParsedCommand {
  const parsed: ParsedCommand = { programs: [], names: [], dynamic: null, outside: [], redirectsOut: false, dangers: [] }
  const simple: string[][] = []
  if ('argv' in run) {
    simple.push([...run.argv])
    if (isOutside('.', cwd)) parsed.outside.push(cwd)
    parsed.names = [...new Set([...namesIn(run.argv), ...programsOf(lineOf(run.argv)).map(nameOf)])]
  } else {
    const read = split(run.shell)
    simple.push(...read.commands)
    include(parsed, read, cwd)
    parsed.names = [...new Set([...programsOf(run.shell).map(nameOf), ...read.commands.flatMap((words) => namesIn(words))])]
  }
  for (const words of simple) read(words, cwd, parsed)
  return parsed
}

/** Hosts named in it, and whether it could reach a network at all. Unknown programs could. */
export function networkOf({ programs, names, dynamic, dangers }: ParsedCommand): 'none' | 'maybe' | 'names it' {
  const named =
    names.some((name) => NETWORK.has(name)) || programs.some((p) => p.name === 'git' && p.words.some((word) => GIT_NETWORK.has(word)))
  if (named) return 'names it'
  return dynamic === null && dangers.length === 0 && names.every((name) => DATA.has(name) || LOCAL.has(name)) ? 'none' : 'maybe'
}

/**
 * The program with its flags, as one line: what "this command" means. A program whose other words are not known to be only data is named
 * with all of them. Null when only the exact text can be allowed.
 */
export function commandSignature(parsed: ParsedCommand): string | null {
  if (parsed.dynamic !== null || parsed.redirectsOut || parsed.outside.length > 0 || parsed.dangers.length > 0) return null
  if (parsed.programs.length === 0) return null
  return parsed.programs
    .map(({ name, flags, words }) => {
      const fixed = DATA.has(name) ? words.slice(0, SUBCOMMANDS.has(name) ? 1 : 0) : words
      const rest = DATA.has(name) && words.length > fixed.length ? ['…'] : []
      return [name, ...fixed.map(quote), ...[...new Set(flags)].sort().map(quote), ...rest].join(' ')
    })
    .join(' ; ')
}

function include(parsed: ParsedCommand, read: Split, cwd: string): void {
  parsed.dynamic ??= read.dynamic
  parsed.dangers.push(...read.dangers)
  for (const target of read.redirects)
    if (isOutside(target, cwd) && !/^\/dev\/(null|stdout|stderr)$/.test(target)) {
      parsed.redirectsOut = true
      parsed.outside.push(target)
    }
}

const nameOf = (word: string): string => word.replace(/^.*\//, '')
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))
const namesIn = (words: readonly string[]): string[] => {
  const at = words.findIndex((word) => !/^\w+\+?=/.test(word))
  return at < 0 ? [] : [nameOf(words[at]!)]
}

function read(all: readonly string[], cwd: string, parsed: ParsedCommand): void {
  if (/^\w+\+?=/.test(all[0] ?? '')) parsed.dangers.push('it sets variables for the program it starts')
  const at = all.findIndex((word) => !/^\w+\+?=/.test(word))
  if (at < 0) return
  const path = all[at]!
  const name = nameOf(path)
  const rest = all.slice(at + 1)
  const end = rest.indexOf('--')
  const flags = rest.filter((word, i) => word.startsWith('-') && word !== '-' && (end < 0 || i <= end))
  const words = rest.filter((word, i) => !(word.startsWith('-') && word !== '-') || (end >= 0 && i > end))
  if (name === 'tar' && rest[0] !== undefined && !rest[0].startsWith('-')) flags.push(`-${words.shift()}`) // its old style: options without a dash
  parsed.programs.push({ name, flags, words })
  if (path !== name) parsed.dangers.push(`"${path}" is a file, not a program of the system`)
  if (RUNS_OTHERS.has(name)) parsed.dangers.push(`"${name}" runs other programs`)
  if (SHELLS.has(name)) {
    const script = rest[rest.findIndex((word) => /^-\w*c$/.test(word)) + 1]
    if (script !== undefined && script !== rest[0]) include(parsed, split(script), cwd)
  }
  if (INTERPRETERS.has(name)) parsed.dangers.push(`"${name}" runs a program that is given to it`)
  const same = SAME_AS[name] ?? name
  const ways = WAYS[same]
  if (ways) {
    const hit = [
      ...rest.filter((word, i) => isWay(ways, word, end >= 0 && i > end)),
      ...flags.filter((flag) => isWay(ways, flag, false)),
    ][0]
    if (hit !== undefined) parsed.dangers.push(`${ways.say} ("${hit.slice(0, 60)}")`)
  }
  if (name === 'sed' && !words.slice(0, 1).every((script) => PLAIN_SED.test(script))) parsed.dangers.push(WAYS.sed!.say)
  if (name === 'git') {
    const verb = words[0] ?? ''
    if (rest[0]?.startsWith('-')) parsed.dangers.push('git with options before its verb can be told to run another program')
    else if (GIT_HOOKS.has(verb)) parsed.dangers.push(`git ${verb} runs hooks of the repository`)
    else if (!GIT_PLAIN.has(verb)) parsed.dangers.push(`git ${verb.slice(0, 40)} may run other programs`)
  }
  for (const word of rest) if (isOutside(word.replace(/^-[^=]*=/, ''), cwd)) parsed.outside.push(word)
}

function isWay(ways: Ways, word: string, literal: boolean): boolean {
  if (ways.word?.test(word)) return true
  if (literal) return false
  const long = /^--?([a-zA-Z][\w-]+)/.exec(word)?.[1]
  if (long !== undefined && word.startsWith('--')) return ways.long?.some((name) => name.startsWith(long) || long === name) ?? false
  return /^-[a-zA-Z]/.test(word) && [...word.slice(1)].some((letter) => ways.short?.includes(letter) ?? false)
}

/** Not plainly below the workspace, seen from `cwd` in it. */
export function isOutside(word: string, cwd = '.'): boolean {
  if (/^[/~]/.test(word) || /^[a-z][\w+.-]*:\/\//i.test(word)) return true
  const whole = join('.', cwd, word)
  return whole === '..' || whole.startsWith('../') || whole.startsWith('/')
}

/** Splits as a shell does. What only a running shell could tell is named instead of guessed. */
type Split = { commands: string[][]; redirects: string[]; dynamic: string | null; dangers: string[] }
function split(line: string): Split {
  const commands: string[][] = []
  const redirects: string[] = []
  const dangers: string[] = []
  let dynamic: string | null = null
  let words: string[] = []
  let word: string | null = null
  let redirect = false
  const endWord = () => {
    if (word === null) return
    if (redirect) {
      if (!/^(\d+|-)$/.test(word)) redirects.push(word)
    } else words.push(word)
    redirect = false
    word = null
  }
  const endCommand = () => {
    endWord()
    if (words.length > 0) commands.push(words)
    words = []
  }
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!
    const next = line[i + 1] ?? ''
    if (c === "'") {
      const close = line.indexOf("'", i + 1)
      if (close < 0) dynamic ??= 'a quote is not closed'
      word = (word ?? '') + line.slice(i + 1, close < 0 ? undefined : close)
      i = close < 0 ? line.length : close
    } else if (c === '"') {
      word ??= ''
      let closed = false
      for (i++; i < line.length; i++) {
        const d = line[i]!
        if (d === '"') {
          closed = true
          break
        }
        if (d === '$' || d === '`') dynamic ??= 'it holds a substitution'
        if (d === '\\' && /[$`"\\\n]/.test(line[i + 1] ?? '')) {
          i++
          if (line[i] !== '\n') word += line[i]
        } else word += d
      }
      if (!closed) dynamic ??= 'a quote is not closed'
    } else if (c === '\\') {
      if (next !== '\n') word = (word ?? '') + next
      i++
    } else if (c === '$' || c === '`') {
      dynamic ??= 'it holds a substitution'
      word = (word ?? '') + c
    } else if (c === ' ' || c === '\t') endWord()
    else if (c === '#' && word === null) {
      const end = line.indexOf('\n', i)
      i = (end < 0 ? line.length : end) - 1
    } else if (c === '<' || c === '>' || (c === '&' && next === '>')) {
      if (word !== null && /^\d+$/.test(word)) word = null
      endWord()
      if ((c === '<' && next === '<') || ((c === '<' || c === '>') && next === '(')) dynamic ??= 'it holds a substitution'
      redirect = true
      while (/[<>&|]/.test(line[i + 1] ?? '')) i++
    } else if (/[;&|\n]/.test(c)) endCommand()
    else if (c === '(' || c === ')') {
      dangers.push('it groups commands')
      endCommand()
    } else {
      if (/[*?[\]]/.test(c)) dangers.push('names of files become words of it')
      if (c === '{' && /^\{[^}\s]*[,.]/.test(line.slice(i))) dangers.push('braces become words of it')
      if (c === '~' && word === null) dangers.push('it names a home folder')
      word = (word ?? '') + c
    }
  }
  endCommand()
  return { commands, redirects, dynamic, dangers: [...new Set(dangers)] }
}
