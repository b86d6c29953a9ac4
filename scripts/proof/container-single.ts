/** The image alone, with less than docker-compose.yml gives it: without an init, without a sandbox, on a file system that may not be written. */
import type { Check } from './container.ts'
import { banyan, expect, inspect } from './container-banyan.ts'
import { type Compose, noneLeft } from './container-compose.ts'
import { docker, must } from './engine-cli.ts'

const OPEN = ['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'].flatMap((one) => ['--security-opt', one])
const GOAL = '1. Run `(setsid sleep 0.3 >/dev/null 2>&1 &); echo run`\n2. Then run `true`'

/** On the volume that compose filled, so that each start is a later one. */
export async function single(check: Check, { project, port, token, image }: Compose): Promise<void> {
  const name = `${project}-single`
  const b = banyan(name, port, token)
  const start = async (...more: string[]) => {
    const publish = ['--publish', `127.0.0.1:${port}:${port}`, '--env', `PORT=${port}`, '--env', `ADMIN_TOKEN=${token}`]
    await must(['run', '--detach', '--name', name, '--volume', `${project}_data:/data`, ...publish, ...more, image])
    return b.answers()
  }
  const remove = () => docker(['rm', '--force', '--volumes', name])
  const alone = (title: string, what: () => Promise<string>) =>
    check(title, async () => {
      try {
        return await what()
      } finally {
        await remove()
      }
    })
  const works = async () => {
    const goal = await b.ended(await b.submit(GOAL))
    expect(goal.status === 'done', JSON.stringify(goal))
    return /isolation: (\w+)/.exec(goal.result ?? '')?.[1] ?? '?'
  }

  await alone('without the three lines commands run plain, and it says why and what mends it', async () => {
    await start('--init')
    const { state, words } = await b.doctor('commands')
    expect(state === 'warn' && /systempaths=unconfined|security options of docker-compose\.yml/.test(words), words)
    const { out } = await b.exec('banyan', 'change', 'status')
    expect(/off|cannot|needs/i.test(out) && !/can be changed/.test(out), out)
    expect((await works()) === 'plain', 'the command did not run plain')
    return out.split('\n')[0]!.replace(/\s+/g, ' ')
  })
  await alone('without an init it takes in what lost its parent, hears "docker stop", and ends with 0', async () => {
    await start(...OPEN)
    await works()
    const left = await noneLeft(b)
    await must(['stop', '--time', '60', name])
    const code = await inspect(name, '{{.State.ExitCode}}')
    expect(code === '0', `exit code ${code}: ${await b.log()}`)
    return `${left}; ended with ${code}`
  })
  for (const signal of ['INT', 'HUP'])
    await alone(`SIG${signal} ends it as a person's wish`, async () => {
      await start(...OPEN)
      await must(['kill', '--signal', signal, name])
      const code = (await must(['wait', name])).trim()
      expect(code === '0' || code === '130', `exit code ${code}: ${await b.log()}`)
      return `ended with ${code}`
    })
  await alone('on a file system that may not be written, but for the volume and /tmp', async () => {
    const seconds = await start(
      '--init',
      '--read-only',
      '--tmpfs',
      '/tmp',
      '--cap-drop',
      'ALL',
      '--security-opt',
      'no-new-privileges',
      ...OPEN,
    )
    const { words } = await b.doctor('commands')
    const { out } = await b.exec('banyan', 'change', 'status')
    return `answers after ${seconds.toFixed(0)} s; a command ran in: ${await works()}; ${words.slice(0, 60)}; code: ${out.split('\n')[0]!.replace(/\s+/g, ' ')}`
  })
  await alone('with half a gigabyte of memory and one processor', async () => {
    const seconds = await start('--init', '--memory', '512m', '--memory-swap', '512m', '--cpus', '1', ...OPEN)
    const isolation = await works()
    expect((await b.inspect('{{.State.OOMKilled}}')) === 'false', 'it ran out of memory')
    return `answers after ${seconds.toFixed(0)} s; a command ran in: ${isolation}`
  })
  await alone('a second one on the same volume is refused with a sentence', async () => {
    await start('--init', ...OPEN)
    const { code, out, err } = await docker([
      'run',
      '--rm',
      '--init',
      '--volume',
      `${project}_data:/data`,
      '--env',
      `ADMIN_TOKEN=${token}`,
      image,
    ])
    expect(code === 1 && /another Banyan already runs/.test(out + err), `it ended with ${code}: ${out}${err}`)
    return (out + err).trim().split('\n').at(-1)!.slice(0, 120)
  })
  await alone('a wrong setting ends it with 1 and a sentence, not with a loop', async () => {
    const { code, out, err } = await docker([
      'run',
      '--rm',
      '--init',
      '--volume',
      `${project}_data:/data`,
      '--env',
      'PORT=many',
      '--env',
      `ADMIN_TOKEN=${token}`,
      image,
    ])
    expect(code === 1 && /PORT/.test(out + err), `it ended with ${code}: ${out}${err}`)
    return (out + err).trim().split('\n').at(-1)!.slice(0, 160)
  })
  await alone('a public host without a token ends with 1 and a sentence', async () => {
    const { code, out, err } = await docker(['run', '--rm', '--init', image])
    expect(code === 1 && /ADMIN_TOKEN/.test(out + err), `it ended with ${code}: ${out}${err}`)
    return (out + err).trim().split('\n').at(-1)!.slice(0, 160)
  })
}
