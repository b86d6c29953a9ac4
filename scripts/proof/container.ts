/**
 * The image and docker-compose.yml, as somebody would use them who has only Docker: built from the commit that is checked out, started, given
 * work, stopped, killed, made anew, backed up, and run with less than they ask for. Needs a Docker engine and Compose 2, takes five to ten
 * minutes and 4 GB of disk, and takes away what it made.
 *
 *   npm run proof -- container [--image NAME] [--postgres] [--keep]
 *
 * `--image`: one that was built already, in place of a build. `--postgres`: also with the image of PostgreSQL that the file names.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Compose, compose } from './container-compose.ts'
import { single } from './container-single.ts'
import { engineHere, must } from './engine-cli.ts'

const root = dirname(dirname(import.meta.dirname))
export type Checked = { name: string; ok: boolean; words: string }
/** Notes a check and tells it at once; `what` answers its figures in a few words, or throws what is wrong. */
export type Check = (name: string, what: () => Promise<string>) => Promise<void>

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { image: { type: 'string' }, postgres: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
  })
  const here = await engineHere()
  if ('untried' in here) console.log(`Not tried: ${here.untried}`)
  else {
    const began = performance.now()
    const done: Checked[] = []
    const check: Check = async (name, what) => {
      const from = performance.now()
      const one = await what().then(
        (words) => ({ name, ok: true, words }),
        (error: unknown) => ({ name, ok: false, words: error instanceof Error ? `${error.message} ${error.cause ?? ''}` : String(error) }),
      )
      done.push(one)
      console.log(
        `${one.ok ? 'ok  ' : 'FAIL'} ${((performance.now() - from) / 1_000).toFixed(0).padStart(4)} s  ${name}: ${one.words.slice(0, 1_500)}`,
      )
    }
    console.log(`Docker ${here.engine}, Compose ${here.compose}`)
    const folder = mkdtempSync(join(tmpdir(), 'banyan-container-'))
    const project = `banyan-proof-${process.pid}`
    const place: Compose = {
      folder,
      project,
      port: await freePort(),
      token: randomBytes(24).toString('base64url'),
      image: `${project}-banyan`,
    }
    try {
      await compose(check, { root, place, image: values.image, postgres: values.postgres })
      await single(check, place)
    } finally {
      if (values.keep) console.log(`Kept: project ${project}, folder ${folder}`)
      else {
        await must(['compose', '--project-name', project, '--profile', 'postgres', 'down', '--volumes', '--timeout', '5'], {
          cwd: folder,
          env: { ADMIN_TOKEN: 'x' },
        }).catch((error: unknown) => console.error(String(error)))
        if (values.image === undefined) await must(['image', 'rm', '--force', place.image]).catch(() => '') // it was never built
        rmSync(folder, { recursive: true, force: true })
      }
    }
    const wrong = done.filter(({ ok }) => !ok)
    console.log(`${done.length} checks, ${wrong.length} failed, ${((performance.now() - began) / 1_000).toFixed(0)} s`)
    process.exitCode = wrong.length > 0 ? 1 : 0
  }
}
