/** What docker-compose.yml promises, one after the other on the same volume. */
import { execFileSync } from 'node:child_process'
import type { Check } from './container.ts'
import { ask, banyan, expect, until } from './container-banyan.ts'
import { docker, must } from './engine-cli.ts'

export type Compose = { folder: string; project: string; port: number; token: string; image: string }

const LIST = [
  '1. Run `mkdir -p facts && uname -s > facts/system.txt && cat facts/system.txt`',
  '2. Then run `wc -c facts/system.txt`',
].join('\n')
/** Six seconds in six steps, of which each leaves a line. */
const STEPS = Array.from(
  { length: 6 },
  (_, n) => `${n + 1}. ${n === 0 ? 'Run' : 'Then run'} \`sleep 1; echo ${n + 1} >> steps.txt; cat steps.txt\``,
).join('\n')

export async function compose(
  check: Check,
  { root, place, image, postgres }: { root: string; place: Compose; image: string | undefined; postgres: boolean },
) {
  const { folder, project, port, token } = place
  const env = { ADMIN_TOKEN: token, PORT: String(port) }
  const run = (args: string[], more: Record<string, string> = {}) =>
    must(['compose', '--project-name', project, ...args], { cwd: folder, env: { ...env, ...more } })
  const b = banyan(`${project}-banyan-1`, port, token)
  const up = async (more: Record<string, string> = {}, ...args: string[]) => {
    await run([...args, 'up', '--detach', '--no-build'], more)
    return b.answers()
  }

  await check('the image is built from the commit', async () => {
    execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, folder])
    if (image === undefined) await must(['compose', '--project-name', project, 'build'], { cwd: folder, env, show: true })
    else await must(['tag', image, place.image])
    const bytes = Number(await must(['image', 'inspect', '--format', '{{.Size}}', place.image]))
    return `${image === undefined ? 'built' : `taken from ${image}`}, ${Math.round(bytes / 1e6)} MB`
  })
  await check('without ADMIN_TOKEN nothing starts, and it is said', async () => {
    const { code, err } = await docker(['compose', '--project-name', project, 'up', '--detach', '--no-build'], {
      cwd: folder,
      env: { ADMIN_TOKEN: '' },
    })
    expect(code !== 0 && /ADMIN_TOKEN/.test(err), `it ended with ${code}: ${err}`)
    return 'refused'
  })
  await check('a first start, healthy in the words of Docker too', async () => {
    const seconds = await up()
    await until('the state "healthy"', 180, async () => ((await b.inspect('{{.State.Health.Status}}')) === 'healthy' ? true : null))
    const { revision } = await b.health()
    const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: folder, encoding: 'utf8' })
    if (image === undefined) expect(head.startsWith(revision), `it runs ${revision}, not ${head}`)
    return `answers after ${seconds.toFixed(0)} s, revision ${revision}`
  })
  await check('it is the user "node", without rights and without a way to gain one', async () => {
    const { out } = await b.exec('sh', '-c', 'id -un; grep -hE "^(CapBnd|CapEff|NoNewPrivs)" /proc/*/status | sort | uniq -c')
    expect(/^node\n/.test(out) && (out.match(/\t0{16}$/gm) ?? []).length === 2 && /NoNewPrivs:\t1\n$/.test(out), out)
    return out.replace(/\s+/g, ' ')
  })
  await check('a browser logs in with ADMIN_TOKEN, and with no other', async () => {
    const login = (word: string) =>
      ask(`${b.url}/api/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: b.url },
        body: JSON.stringify({ token: word }),
      })
    const [good, bad] = [await login(token), await login(`${token}x`)]
    expect(good.status === 204 && good.headers.has('set-cookie'), `with the token: ${good.status}`)
    expect(bad.status === 401 || bad.status === 403, `with another: ${bad.status}`)
    const page = await ask(b.url)
    expect(page.ok && /<html/i.test(await page.text()), `the page: ${page.status}`)
    return `${good.status}, and ${bad.status} with another`
  })
  await check('commands run in the sandbox, and its own code can be changed', async () => {
    const { state, words } = await b.doctor('commands')
    expect(state === 'ok' && /sandbox/.test(words), words)
    const { out } = await b.exec('banyan', 'change', 'status')
    expect(/can be changed/.test(out), out)
    return words
  })
  let first = ''
  await check('a goal comes to its end without a key', async () => {
    first = await b.submit(LIST)
    const goal = await b.ended(first)
    expect(goal.status === 'done' && /isolation: sandbox/.test(goal.result ?? ''), JSON.stringify(goal))
    return `${goal.taskCount} tasks done`
  })
  await check('what commands leave behind is taken in', async () => {
    const goal = await b.ended(
      await b.submit('1. Run `for i in 1 2 3 4 5; do (setsid sleep 0.3 >/dev/null 2>&1 &); done; echo left`\n2. Then run `true`'),
    )
    expect(goal.status === 'done', JSON.stringify(goal))
    return noneLeft(b)
  })
  await check('a restart of Banyan is none of the container', async () => {
    const [started, before] = [await b.inspect('{{.State.StartedAt}} {{.State.Pid}}'), await b.health()]
    const { code, out, err } = await b.exec('./restart.sh')
    expect(code === 0, out + err)
    const after = await b.health()
    expect(after.uptimeSeconds < before.uptimeSeconds + 1, `${before.uptimeSeconds} s up before, ${after.uptimeSeconds} s after`)
    expect((await b.inspect('{{.State.StartedAt}} {{.State.Pid}}')) === started, 'the container started anew')
    const asked = Date.now()
    await b.api('POST', '/admin/graceful-shutdown?restart=1')
    await until('a second restart', 120, async () => {
      const now = await b.health().catch(() => null) // between the two
      return now !== null && now.uptimeSeconds * 1_000 < Date.now() - asked ? true : null
    })
    return 'by restart.sh and over HTTP'
  })
  await check('"docker stop" in the middle of a goal is graceful, and the goal goes on', async () => {
    const id = await b.submit(STEPS)
    await until('the second step', 60, async () => ((await b.goal(id)).counts.done ?? 0) >= 1 || null)
    const from = performance.now()
    await run(['stop'])
    const [seconds, code] = [(performance.now() - from) / 1_000, await b.inspect('{{.State.ExitCode}}')]
    expect(code === '0', `exit code ${code}: ${await b.log()}`)
    const again = await up()
    const goal = await b.ended(id)
    expect(goal.status === 'done', JSON.stringify(goal))
    return `stopped in ${seconds.toFixed(1)} s with code 0, on again after ${again.toFixed(0)} s, ${goal.taskCount} tasks, ${stepsOf(goal.result)} lines written`
  })
  await check('kill -9 of the whole container in the middle of a goal, and no task is lost', async () => {
    const id = await b.submit(STEPS)
    await until('the second step', 60, async () => ((await b.goal(id)).counts.done ?? 0) >= 1 || null)
    await must(['kill', '--signal', 'KILL', b.container])
    const code = await b.inspect('{{.State.ExitCode}}')
    const again = await up()
    let goal = await b.ended(id)
    // A command that had begun may have done its work: a person is asked.
    let asked = 0
    for (; goal.needsYou > 0 && asked < 3; asked++) {
      await answerAll(b)
      goal = await b.ended(id)
    }
    expect(goal.status === 'done', JSON.stringify(goal))
    return `killed (${code}), on again after ${again.toFixed(0)} s, ${goal.taskCount} tasks, ${stepsOf(goal.result)} lines written, asked ${asked} times`
  })
  await check('a container that is made anew finds all of it in the volume', async () => {
    await run(['down', '--timeout', '60'])
    const seconds = await up()
    expect((await b.goal(first)).status === 'done', 'the first goal is not as it was')
    return `answers after ${seconds.toFixed(0)} s`
  })
  await check('a backup, and the way back to it', async () => {
    const made = await b.exec('banyan', 'db', 'backup', '--json')
    expect(made.code === 0, made.err)
    const backups = await b.api<{ items: { id: string; why: string }[] }>('GET', '/api/backups')
    const newest = backups.items.find(({ why }) => why === 'by-hand')!.id
    const later = await b.submit('1. Run `echo later`')
    await b.ended(later)
    const back = await b.exec('banyan', 'db', 'restore', newest, '--yes')
    expect(back.code === 0, back.out + back.err)
    await until('the goal from after the backup to be gone', 120, () =>
      b.goal(later).then(
        () => null,
        (error: Error) => /is gone/.test(error.message) || null,
      ),
    )
    await b.answers()
    const { items } = await b.api<{ items: { id: string }[] }>('GET', '/api/trees?limit=50')
    expect(items.some(({ id }) => id === first) && !items.some(({ id }) => id === later), 'the goals are not those of the backup')
    return `${backups.items.length} backups, back at ${newest}`
  })
  await check('a change of its own stays, also in a container that is made anew', async () => {
    // As a change that agents made and a person approved: a commit that the image does not know, in the repository of DATA_DIR.
    const script = `set -e; cd /app; git config user.name x; git config user.email x@x.invalid
echo '<!-- another revision -->' >> README.md; git commit -qam 'Another revision'; git rev-parse HEAD
[ -d /data/self/repository.git ] || git init -q --bare /data/self/repository.git
git push -q /data/self/repository.git +HEAD:refs/heads/main`
    const { code, out, err } = await b.exec('sh', '-c', script)
    expect(code === 0, err)
    await run(['restart'])
    await b.answers()
    const mine = out.trim()
    const { revision } = await b.health()
    expect(mine.startsWith(revision), `after a restart ${revision} runs, not ${mine}`)
    await run(['down', '--timeout', '60'])
    await up()
    const now = (await b.health()).revision
    expect(mine.startsWith(now), `the new container runs ${now}, not ${mine}`)
    const ours = (await b.exec('git', '-C', '/app', 'rev-parse', 'banyan/main')).out.trim()
    expect(ours === mine, `the next change would begin at ${ours || 'its main branch'}, not at ${mine}`)
    return now
  })
  if (postgres)
    await check('with PostgreSQL in the container beside it', async () => {
      await run(['down', '--timeout', '60'])
      const word = 'a-word-of-this-proof'
      const seconds = await up(
        { POSTGRES_PASSWORD: word, DATABASE_URL: `postgres://banyan:${word}@postgres/banyan` },
        '--profile',
        'postgres',
      )
      const goal = await b.ended(await b.submit(LIST))
      expect(goal.status === 'done', JSON.stringify(goal))
      const { words } = await b.doctor('database')
      const version = (await must(['exec', `${project}-postgres-1`, 'cat', '/var/lib/postgresql/data/PG_VERSION'])).trim()
      const backup = await b.exec('banyan', 'db', 'backup')
      return `answers after ${seconds.toFixed(0)} s; PostgreSQL ${version}; ${words}; backup: ${(backup.out + backup.err).trim().split('\n')[0]}`
    })
  await run(['--profile', 'postgres', 'down', '--timeout', '60'])
}

/** Nothing of a goal is running and nobody's ended child is there. */
export async function noneLeft(b: ReturnType<typeof banyan>): Promise<string> {
  const all = await until('an end of what commands left', 15, async () => {
    const found = await b.processes()
    return found.some(({ state, command }) => state === 'Z' || /^sleep/.test(command)) ? null : found
  })
  return `${all.length} processes, no zombie, pid 1 is ${all.find(({ pid }) => pid === 1)?.command.split(' ')[0]}`
}

const stepsOf = (result: string | null): number =>
  Math.max(0, ...(result ?? '').split('```').map((block) => (block.match(/^\d$/gm) ?? []).length))

/** A person says that it may be done once more. */
async function answerAll(b: ReturnType<typeof banyan>): Promise<void> {
  const { items } = await b.api<{ items: { id: string; actionHash: string }[] }>('GET', '/api/reviews?state=open&limit=20')
  for (const { id, actionHash } of items) await b.api('POST', `/api/reviews/${id}/decision`, { decision: 'approve', actionHash })
}
