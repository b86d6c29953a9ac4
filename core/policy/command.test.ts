import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandSignature, networkOf, parseRun } from './command.ts'

const line = (shell: string, cwd = '.') => parseRun({ shell }, cwd)
const pattern = (shell: string) => commandSignature(line(shell))

describe('a command that can run others, or write elsewhere, can be allowed only as its whole text', () => {
  test.each([
    'git -c core.pager=./x log',
    'git -c core.fsmonitor=./x status',
    'git --exec-path=. status',
    'git -C .. status',
    'git --git-dir=x status',
    'git fetch --upload-pack=./x origin',
    'git ls-remote --upload-pack ./x origin',
    'git clone ext::./x y',
    'git push --receive-pack=./x',
    'git grep --open-files-in-pager=./x foo',
    'git grep -O./x foo',
    'git diff --ext-diff',
    'git diff --ext-d',
    'git log --textconv',
    'git commit -m x',
    'git merge other',
    'git checkout main',
    'git config core.hooksPath .',
    'git submodule foreach ./x',
    'git rebase -x ./x main',
    'git bisect run ./x',
    'git filter-branch --tree-filter ./x',
    'git unknown-alias',
    'find . -exec ./x {} ;',
    'find . -execdir ./x +',
    'find . -ok ./x',
    'find . -delete',
    'find . -fprintf out %p',
    'tar -cf a.tar --checkpoint=1 --checkpoint-action=exec=./x .',
    'tar xf a.tar --to-command=./x',
    'tar xf a.tar --to-comm ./x',
    'tar -xf a.tar -I ./x',
    'tar xIf ./x a.tar',
    'tar -xPf a.tar',
    'tar --use-compress-prog=./x -xf a.tar',
    'rg --pre ./x foo',
    'rg --pre=./x foo',
    'rg -z foo',
    'curl -o x y.example',
    'curl -K conf',
    'curl file:///etc/passwd',
    'wget -O x y.example',
    'ssh -o ProxyCommand=./x host',
    'ssh host ls',
    'scp a host:b',
    'rsync -e ./x a b',
    'xargs ./x',
    'ls | xargs cat',
    'env ls',
    'env -i ./x',
    'FOO=1 ls',
    'LD_PRELOAD=./x.so ls',
    "sed 's/a/b/e' f",
    "sed '1e ./x' f",
    "sed 'w out' f",
    "sed -n '/x/w out' f",
    "sed 's/a/b/w out' f",
    'sed -f script f',
    'sed -e p f',
    'awk \'BEGIN{system("./x")}\'',
    `awk '{print > "out"}' f`,
    `awk '"./x" | getline' f`,
    'awk -f prog f',
    'npm run build',
    'npm test',
    'npx tool',
    'node -e 1',
    'node --require ./x y.js',
    'python3 -c 1',
    'python3 -m http.server',
    'perl -e 1',
    "sh -c 'ls'",
    'bash x.sh',
    'sudo ls',
    'doas ls',
    'timeout 5 ls',
    'nohup ls',
    'make',
    'docker run x',
    './x',
    'bin/tool',
    'eval ls',
    '. ./x',
    'sort --compress-program=./x f',
    'if true; then ls; fi',
    '(ls)',
    'ls *.txt',
    'ls {a,b}',
    'echo ~',
  ])('%s', (shell) => {
    expect(pattern(shell)).toBeNull()
  })
})

describe('what is known only when it runs is never allowed for always, not even as the same text', () => {
  test.each([
    'echo $(date)',
    'echo `date`',
    'echo "$(date)"',
    'echo $HOME',
    'echo "$X"',
    'cat <(ls)',
    'cat << EOF\n$(x)\nEOF',
    "sh -c 'echo $(date)'",
    'echo "open',
    "echo 'open",
  ])('%s', (shell) => expect(line(shell).dynamic).not.toBeNull())
  test('a substitution in single quotes is only text', () => expect(line("echo '$(date)'").dynamic).toBeNull())
})

describe('files outside the workspace', () => {
  test.each(['cat /etc/passwd', 'cat ../x', 'cat a/../../x', 'cat ~/x', 'grep --file=/etc/x y', 'ls -- /'])('%s is named', (shell) =>
    expect(line(shell).outside).not.toEqual([]),
  )
  test.each(['echo x > /tmp/x', 'echo x >> ../x', 'ls 2> /var/x', 'ls &> ~/x', "sh -c 'echo x > /tmp/x'"])(
    '%s sends output there',
    (shell) => expect(line(shell).redirectsOut).toBe(true),
  )
  test.each(['echo x > out', 'ls 2>&1', 'ls > /dev/null 2>&1', 'cat a/../b'])('%s does not', (shell) =>
    expect(line(shell)).toMatchObject({ redirectsOut: false, outside: [] }),
  )
  test('depend on the folder it runs in', () => {
    expect(line('cat ../x', 'a').outside).toEqual([])
    expect(line('cat ../../x', 'a').outside).toEqual(['../../x'])
  })
})

describe('the same command', () => {
  test('is the same program with the same flags, whatever the data', () => {
    expect(pattern('ls -l a b')).toBe(pattern('ls -l c'))
    expect(pattern('grep -rn foo src')).toBe('grep -rn …')
    expect(pattern('git log --oneline a')).toBe('git log --oneline …')
    expect(pattern('cat a | wc -l')).toBe('cat … ; wc -l')
  })
  test('is another with another flag, verb or program', () => {
    const all = [
      'ls',
      'ls -l',
      'ls -l a',
      'ls --color=never',
      'git status',
      'git log',
      'git log -p',
      'cat a',
      'cat a && wc a',
      'tar xf a',
      'tar cf a b',
    ].map(pattern)
    expect(new Set(all).size).toBe(all.length)
    expect(all).not.toContain(null)
  })
  test('names every word of a program that is not known', () => {
    expect(pattern('pytest tests/a.py -q')).toBe('pytest tests/a.py -q')
    expect(pattern('rm -rf build')).not.toBe(pattern('rm -rf src'))
  })
  test('holds what follows -- for data', () => expect(pattern('grep -- -e f')).toBe('grep -- …'))
})

test.each([
  ['curl x', 'names it'],
  ['git push', 'names it'],
  ['ls | nc host 1', 'names it'],
  ['sh -c "curl x"', 'names it'],
  ['pytest', 'maybe'],
  ['node x.js', 'maybe'],
  ['ls -l', 'none'],
  ['git status', 'none'],
  ['rm -rf build', 'none'],
])('%s and the network: %s', (shell, word) => expect(networkOf(line(shell))).toBe(word))

test('an argument vector is read as one command, whatever its words hold', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 5 }), (words) => {
      const parsed = parseRun({ argv: ['echo', ...words] })
      expect(parsed.programs.map((p) => p.name)).toEqual(['echo'])
      expect(parsed.dynamic).toBeNull()
    }),
  )
})

test('a line of whatever characters is read without an error, and one with $ or ` outside single quotes is never a known command', () => {
  const piece = fc.constantFrom(
    'ls',
    ' ',
    ' -l',
    '$',
    '`',
    "'",
    '"',
    '\\',
    '(',
    ')',
    '<',
    '>',
    '|',
    '&',
    ';',
    '\n',
    '#',
    'a',
    '/',
    '..',
    '{',
    '*',
    '=',
    '~',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const shell = pieces.join('')
      const signature = commandSignature(parseRun({ shell }))
      const bare = shell
        .replace(/'[^']*'/g, '')
        .replace(/\\./gs, '')
        .replace(/#.*/g, '')
      if (/[$`]/.test(bare) && !shell.includes('"') && !shell.includes('#') && !shell.includes('\\')) expect(signature).toBeNull()
    }),
    { numRuns: 3_000 },
  )
})
