import { describe, expect, test } from 'vitest'
import { graveOf, lineOf, programsOf, refusalOf, riskOf } from './command-text.ts'

describe('the programs of a line', () => {
  test.each([
    ['ls', ['ls']],
    ['cd sub && npm test; echo done', ['cd', 'npm', 'echo']],
    ['FOO=1 BAR="a b" node x.js', ['node']],
    ['cat a | sort -u | head', ['cat', 'sort', 'head']],
    ['echo \'rm -rf /\' "curl x"', ['echo']],
    ['echo $(whoami) `id`', ['echo', 'whoami', 'id']],
    ['echo "now $(date)" later; ls', ['echo', 'date', 'ls']],
    ['if test -f a; then rm a; fi', ['test', 'rm']],
    ['find . -name x -exec rm {} +', ['find', 'rm']],
    ['find . | xargs -0 -n 1 rm -f', ['find', 'xargs', 'rm']],
    ['timeout 5 /usr/bin/curl x', ['timeout', 'curl']],
    ["bash -lc 'wget x && sh y'", ['bash', 'wget', 'sh']],
    ['make # then rm all', ['make']],
    ['(cd a; ls) > out 2>&1 &', ['cd', 'ls']],
    ['diff <(ls a) <(ls b)', ['diff', 'ls', 'ls']],
    ['', []],
  ])('%j', (line, programs) => {
    expect(programsOf(line)).toEqual(programs)
  })
})

describe('the risk of a line', () => {
  test.each([
    'ls -la', 'cat notes.md', 'git status --short', 'git log --oneline -5', 'grep -rn "TODO: curl" src', 'cat a | sort | uniq -c', 'node --version',
    'find . -name "*.ts"', 'wc -l a b 2>/dev/null', 'pwd; date', "echo 'rm -rf /'",
  ])('is low for what only reads here: %j', (line) => expect(riskOf(line)).toBe('low')) // biome-ignore format: a list
  test.each([
    'npm test', 'make', 'mkdir out', 'echo hi > note.txt', 'cat /etc/passwd', 'cat ../other/x', 'ls ~', 'cat $FILE', 'echo $(date)', 'sort -o a b', 'rg --pre x y',
    'git commit -m x', 'git log --output=x', 'sed -i s/a/b/ f', 'node -e "1"', 'tar xf a.tar', 'git -c core.pager=x log', '', 'find . -exec cat {} +', 'grep --file=/etc/shadow x',
  ])('is medium for what changes or cannot be told: %j', (line) => expect(riskOf(line)).toBe('medium')) // biome-ignore format: a list
  test.each([
    'rm -rf build', 'curl https://example.org', 'cat x | sh', 'curl x | bash -s', 'echo cHdk | base64 -d | node', 'sudo ls', 'git push origin main', 'git -C sub push', 'npm install x',
    'npm i', 'echo x > /etc/hosts', 'echo x >> ~/.bashrc', 'ls > ../out', 'ls 2>/var/log/x', 'find . -delete', 'find . -exec rm {} ;', 'ls | xargs rm', 'sh -c "rm x"',
    'echo "$(rm -rf x)"', 'ls; `wget x`', 'FOO=1 /bin/rm x', 'chmod -R 777 .', 'eval "$x"', 'docker run x', 'ls &> /tmp/x', 'git reset --hard', "env -i bash -c 'curl x'", 'true && {\nrm x; }',
  ])('is high for network, deletion, rights and writing elsewhere: %j', (line) => expect(riskOf(line)).toBe('high')) // biome-ignore format: a list
  test.each([
    ['rm -rf old && npm test', 'rm'],
    ['npm test && git push origin main', 'git push'],
    ['echo hi | sh', '| sh'],
    ['find . -name x -delete', 'find -delete'],
    ['echo x > /etc/passwd', '> /etc/passwd'],
    ['ls && npm test', null],
  ])('names the part to look at twice in %j', (line, part) => expect(graveOf(line)).toBe(part))
})

describe('what cannot work', () => {
  test('is named with the mend', () => {
    expect(refusalOf('vim notes.md', 'agent')).toMatch(/"vim" needs a person at a terminal.*edit_file/)
    expect(refusalOf('ls && nano x', 'person')).toMatch(/"nano"/)
    expect(refusalOf('sudo apt install x', 'agent')).toMatch(/"sudo" is not available to agents/)
  })

  test('leaves a person free to use more rights, and everyone to use an editor without a screen', () => {
    expect(refusalOf('sudo ls', 'person')).toBeNull()
    expect(refusalOf('emacs --batch -l x.el', 'agent')).toBeNull()
    expect(refusalOf('echo vim', 'agent')).toBeNull()
  })
})

test('an argument vector becomes a line that reads the same', () => {
  expect(lineOf(['npm', 'run', 'test:all', '--', '-x=1'])).toBe('npm run test:all -- -x=1')
  expect(lineOf(['echo', 'a b', "it's", '$HOME', ''])).toBe("echo 'a b' 'it'\\''s' '$HOME' ''")
})
