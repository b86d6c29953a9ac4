/**
 * What can be told from the text of a command: which programs it starts, how much a person should look twice, and what cannot work at all.
 * Pure. It informs a person's decision and never replaces it: a shell line can hide anything from a reader, so what is not known is `medium`.
 */
export type Risk = 'low' | 'medium' | 'high'

type Quote = '' | "'" | '"'
type Simple = {
  words: string[]
  /** Files that it writes by `>`. */
  writes: string[]
  /** Its input is another command's output. */
  piped: boolean
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const KEYWORDS = words('! { } if then elif else fi while until do done for time')
const WRAPPERS = words('env nohup exec command builtin nice ionice timeout stdbuf setsid xargs sudo doas busybox')
const SHELLS = words('sh bash dash zsh ksh ash fish')
const INTERPRETERS = words('node python python3 perl ruby php deno bun lua')
const ELEVATING = words('sudo doas su')
const INTERACTIVE = words('vi vim nvim view nano pico emacs ed ex mc htop btop screen tmux passwd')
const READING = words(
  'ls cat head tail wc pwd echo printf true false test [ cd date whoami id uname which type grep egrep fgrep rg stat file du df diff cmp basename dirname realpath readlink tree cut tr uniq nl od hexdump cksum md5sum sha1sum sha256sum sort find git',
)
const READING_GIT = words('status log diff show ls-files rev-parse blame')
/** Options that make a reading program write or start another one. */
const WRITING_OPTION = /^(-o|--output|-exec|-execdir|-ok|-okdir|-delete|-fprint|-fprintf|-fls|--pre|--ext-diff|--textconv)(=|$)/
const GRAVE = words(
  'rm rmdir shred dd mkfs fdisk mount umount eval curl wget ssh scp sftp rsync nc ncat netcat telnet ftp socat kill pkill killall chmod chown chgrp shutdown reboot halt poweroff crontab at systemctl service docker podman kubectl apt apt-get dpkg yum dnf apk brew pip pip3 pipx uv uvx npx gem sudo doas su',
)
const GRAVE_SUBCOMMAND: Readonly<Record<string, ReadonlySet<string>>> = {
  git: words('push pull fetch clone remote submodule reset clean'),
  npm: words('install i ci add update publish exec uninstall'),
  pnpm: words('install i add update publish exec dlx'),
  yarn: words('install add publish dlx'),
  bun: words('install add x publish'),
  cargo: words('install publish'),
  go: words('get install'),
}

/** An argument vector as one line that a shell would read the same. */
export function lineOf(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}

/** Names of the programs that a line starts, in order, as far as its text tells. */
export function programsOf(line: string): string[] {
  return parse(line).commands.flatMap((command) => programsOfWords(command.words))
}

/** low: only reads, in the folder it runs in. high: network, deleting, more rights, other people's code, writing elsewhere. medium: the rest. */
export function riskOf(line: string): Risk {
  const { commands, substitutes } = parse(line)
  if (commands.some((command) => gravePart(command) !== null)) return 'high'
  return !substitutes && commands.length > 0 && commands.every(onlyReads) ? 'low' : 'medium'
}

/** Why a line cannot work here, with the mend; null when nothing speaks against it. Nobody sits at a terminal, and an agent gets no more rights. */
export function refusalOf(line: string, by: 'person' | 'agent', terminal = false): string | null {
  for (const { words } of parse(line).commands) {
    const programs = programsOfWords(words)
    const editor = programs.find((name) => INTERACTIVE.has(name))
    if (editor && !terminal && !words.some((word) => /^(-es|--?batch|--version|-V)$/.test(word))) {
      return `"${editor}" needs a person at a terminal and would only wait here. Use edit_file or write_file to change files, or a command that ends by itself.`
    }
    const elevating = by === 'agent' ? programs.find((name) => ELEVATING.has(name)) : undefined
    if (elevating) return `"${elevating}" is not available to agents. Do it without more rights, or ask a person with flag_for_review.`
  }
  return null
}

/** What makes a line one to look at twice, for the person who decides: its riskiest part, as it is written; null when no part is. */
export function graveOf(line: string): string | null {
  for (const command of parse(line).commands) {
    const grave = gravePart(command)
    if (grave !== null) return grave
  }
  return null
}

function gravePart({ words, writes, piped }: Simple): string | null {
  const programs = programsOfWords(words)
  const program = programs.find((name) => GRAVE.has(name) || name.startsWith('mkfs.'))
  if (program !== undefined) return program
  for (const name of programs) {
    const sub = words.find((word) => GRAVE_SUBCOMMAND[name]?.has(word))
    if (sub !== undefined) return `${name} ${sub}`
  }
  const runner = piped ? programs.find((name) => SHELLS.has(name) || INTERPRETERS.has(name)) : undefined
  if (runner !== undefined) return `| ${runner}`
  if (programs.includes('find') && words.includes('-delete')) return 'find -delete'
  const file = writes.find((file) => isElsewhere(file) && !/^\/dev\/(null|stdout|stderr)$/.test(file))
  return file === undefined ? null : `> ${file}`
}

function onlyReads({ words, writes }: Simple): boolean {
  const [name = '', ...rest] = words
  if (writes.some((file) => file !== '/dev/null') || rest.some((word) => isElsewhere(word) || WRITING_OPTION.test(word))) return false
  if (!READING.has(name)) return rest.length === 1 && /^(--version|-v|-V)$/.test(rest[0]!)
  return name !== 'git' || READING_GIT.has(rest[0] ?? '')
}

/** A path (or what may become one) that is not plainly below the folder. */
const isElsewhere = (word: string): boolean => /^([/~$]|\.\.($|\/))|\/\.\.($|\/)|=[/~]/.test(word)

function programsOfWords(all: readonly string[]): string[] {
  const start = all.findIndex((word) => !KEYWORDS.has(word) && !/^\w+\+?=/.test(word))
  if (start < 0) return []
  const [path = '', ...rest] = all.slice(start)
  const name = path.replace(/^.*\//, '')
  if (name === '') return []
  if (WRAPPERS.has(name)) {
    const inner = rest.findIndex((word) => !/^(-|\d|\w+=)/.test(word))
    return [name, ...(inner < 0 ? [] : programsOfWords(rest.slice(inner)))]
  }
  if (SHELLS.has(name)) {
    const at = rest.findIndex((word) => /^-\w*c$/.test(word))
    const script = at < 0 ? undefined : rest.slice(at + 1).find((word) => word !== '--')
    return [name, ...(script === undefined ? [] : programsOf(script))]
  }
  if (name === 'find') {
    return [name, ...rest.flatMap((word, i) => (/^-(exec|ok)(dir)?$/.test(word) ? programsOfWords(rest.slice(i + 1, i + 3)) : []))]
  }
  return [name]
}

/** Splits a line as a shell does, as far as programs, words and redirections go. `substitutes`: a command's output becomes part of the line. */
function parse(line: string): { commands: Simple[]; substitutes: boolean } {
  const commands: Simple[] = []
  let substitutes = false
  let command: Simple = { words: [], writes: [], piped: false }
  let word: string | null = null
  let redirect: 'write' | 'read' | null = null
  let quote = '' as Quote
  let backtick = false
  /** The quote around each open `$(`. */
  const open: Quote[] = []

  const endWord = () => {
    if (word === null) return
    if (redirect === null) command.words.push(word)
    else if (redirect === 'write' && !/^\d+$/.test(word)) command.writes.push(word)
    redirect = null
    word = null
  }
  const endCommand = (piped = false) => {
    endWord()
    redirect = null
    if (command.words.length > 0 || command.writes.length > 0) commands.push(command)
    command = { words: [], writes: [], piped }
  }
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!
    const next = line[i + 1]
    if (quote === "'") {
      if (c === "'") quote = ''
      else word = (word ?? '') + c
    } else if (c === '\\') {
      if (next !== '\n') word = (word ?? '') + (next ?? '')
      i++
    } else if (c === '$' && next === '(') {
      substitutes = true
      open.push(quote)
      endCommand()
      quote = ''
      i++
    } else if (c === '`') {
      substitutes = true
      if (backtick) quote = open.pop() ?? ''
      else open.push(quote)
      if (!backtick) quote = ''
      backtick = !backtick
      endCommand()
    } else if (c === '"') {
      quote = quote === '"' ? '' : '"'
      word ??= ''
    } else if (quote === '"') word = (word ?? '') + c
    else if (c === "'") {
      quote = "'"
      word ??= ''
    } else if (c === ' ' || c === '\t') endWord()
    else if (c === '#' && word === null) {
      const end = line.indexOf('\n', i)
      i = (end < 0 ? line.length : end) - 1
    } else if (c === '<' || c === '>' || (c === '&' && next === '>')) {
      if (word !== null && /^\d+$/.test(word)) word = null // the number of a stream
      endWord()
      if (c !== '&' && next === '(') {
        substitutes = true
        open.push('')
        endCommand()
        i++
      } else {
        redirect = c === '<' ? 'read' : 'write'
        while (/[<>&|]/.test(line[i + 1] ?? '')) i++
      }
    } else if (/[;&|\n()]/.test(c)) {
      endCommand(c === '|' && next !== '|' && line[i - 1] !== '|')
      if (c === ')') quote = open.pop() ?? ''
    } else word = (word ?? '') + c
  }
  endCommand()
  return { commands, substitutes }
}
