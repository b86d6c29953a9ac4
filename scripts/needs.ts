/** Real programs that some tests run. A machine without one skips those tests and is told so (test.ts). */
import { accessSync, constants, globSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

export type Need = 'postgres' | 'chromium' | 'redis' | 'bubblewrap' | 'docker'

/** What each is called by Debian's packages and by the people who read why a part was skipped. */
export const NEEDS: Record<Need, { title: string; apt: string; programs: readonly string[]; excused?: { why: string; mend: string } }> = {
  postgres: { title: 'a real PostgreSQL server', apt: 'postgresql', programs: ['postgres'] },
  chromium: { title: 'the page in a real browser', apt: 'chromium', programs: ['chromium', 'chromium-browser', 'google-chrome'] },
  redis: { title: 'coordination through a real Redis', apt: 'redis-server', programs: ['redis-server', 'valkey-server'] },
  bubblewrap: { title: 'commands isolated by bubblewrap', apt: 'bubblewrap', programs: ['bwrap'] },
  docker: {
    title: 'commands in containers of a real Docker engine',
    apt: 'docker.io',
    programs: ['dockerd'],
    // An engine is a service with the rights of root, and an image comes from a registry: neither is a test's to start or to fetch.
    excused: {
      why: 'no engine with an image to use',
      mend: 'start Docker and set CONTAINER_IMAGE to an image that it has',
    },
  },
}

/** Path of the program, or null: `describe.skipIf(!need('postgres'))`. */
export function need(name: Need): string | null {
  if (name === 'docker') return engineSocket()
  // Debian keeps initdb and postgres off PATH, one folder a version; the newest first.
  const debian = name === 'postgres' ? globSync('/usr/lib/postgresql/*/bin').sort((a, b) => version(b) - version(a)) : []
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...debian]) {
    for (const program of NEEDS[name].programs) {
      const path = join(folder, program)
      if (mayRun(path) && (name !== 'postgres' || mayRun(join(dirname(path), 'initdb')))) return path
    }
  }
  return null
}
/** Its socket, when somebody says what may run in it. */
function engineSocket(): string | null {
  const path = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
  return process.env.CONTAINER_IMAGE && statSync(path, { throwIfNoEntry: false })?.isSocket() ? path : null
}
const version = (folder: string) => Number(/(\d+)\/bin$/.exec(folder)?.[1] ?? 0)

/** False where a gate judges this checkout: it is read-only there, so what builds or writes in it cannot be tried. */
export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false // what was asked for
  }
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // absent or not ours to run: the answer that was asked for
  }
}

/** The needs that these test files declare. */
export function declared(files: readonly { text: string }[]): Need[] {
  const names = Object.keys(NEEDS) as Need[]
  return names.filter((name) => files.some((file) => file.text.includes(`need('${name}')`)))
}
