/** Finds out, once at the start, whether commands can run in containers here: by running one. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { type DockerExec, openDocker } from './docker.ts'
import { dockerApi, EngineError, socketOf } from './docker-api.ts'
import { builtEnvironment, type HostEnvironment } from './environment.ts'
import { COMMAND_LIMITS, handOver, type Owner } from './local.ts'

export type ContainerReport = { ok: true; version: string; image: string } | { ok: false; why: string; mend: string }
export type ContainerOptions = {
  /** Null: nobody wants containers, and nothing is tried. */
  image: string | null
  /** As Docker's own tools read it. */
  dockerHost: string | undefined
  /** Where the workspaces lie; a folder for the trial is made and removed in it. */
  dataDir: string
  host: HostEnvironment
  /** The user that owns workspaces, when the runtime is root. */
  runAs?: Owner
  /** Left out: a look only, which removes nothing of earlier starts and leaves nothing. */
  instance?: string
  failPoint?: (name: string) => void
}

const Info = z.object({ SecurityOptions: z.array(z.string()).nullish() })

/** The door to containers where they work, and a report. What a crash left behind is removed first. */
export async function openContainers(options: ContainerOptions): Promise<{ exec: DockerExec | { why: string }; report: ContainerReport }> {
  const tried = await tryContainers(options)
  if ('exec' in tried) return tried
  return { exec: { why: `${tried.why} ${tried.mend}` }, report: { ok: false, ...tried } }
}

type Tried = { exec: DockerExec; report: ContainerReport } | { why: string; mend: string }
async function tryContainers({ image, dockerHost, dataDir, host, runAs, instance, failPoint }: ContainerOptions): Promise<Tried> {
  if (image === null)
    return {
      why: 'No image is set for containers.',
      mend: 'To run commands in containers of a Docker engine, set CONTAINER_IMAGE to an image that it has, ISOLATION to container, and restart.',
    }
  const socket = socketOf(dockerHost)
  if ('why' in socket) return socket
  const api = dockerApi(socket.path)
  await mkdir(dataDir, { recursive: true, mode: 0o711 })
  const workspace = await mkdtemp(join(dataDir, 'container-try-'))
  try {
    const { engine } = await api.version()
    await api.call('GET', `/images/${image}/json`)
    const info = Info.safeParse(await api.call('GET', '/info'))
    // Without root's rights the engine shows the user it runs as inside as user 0.
    const rootless = info.success && info.data.SecurityOptions?.some((one) => one.startsWith('name=rootless'))
    const user = rootless ? { uid: 0, gid: 0 } : (runAs ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
    const exec = await openDocker({
      api,
      image,
      instance: instance ?? `look-${randomBytes(4).toString('hex')}`,
      environment: builtEnvironment(host),
      user,
      limits: COMMAND_LIMITS(),
      hidden: [dataDir],
      ...(failPoint ? { failPoint } : {}),
    })
    if (instance !== undefined) await exec.sweep()
    if (runAs) await handOver(workspace, runAs)
    const command = { run: { shell: 'echo seen > written' }, cwd: workspace, timeoutMs: 60_000, outputBytes: 4_000 }
    const result = await exec.run(command, new AbortController().signal)
    if (result.exitCode !== 0)
      return {
        why: `A first command in a container of ${image} failed: ${result.stderr.trim().split('\n').at(-1) || (result.timedOut ? 'it did not end within 60 s' : `exit code ${result.exitCode}`)}.`,
        mend: 'Use an image with /bin/sh, and an engine that lets its containers write folders of this user (no other user mapping), and restart.',
      }
    if ((await stat(join(workspace, 'written')).catch(() => null)) === null)
      // what is looked for: it was not written
      return {
        why: 'What a first container wrote into its workspace did not arrive: the engine sees other folders than this process.',
        mend: 'Run the engine on the same machine, and when Banyan itself runs in a container, mount DATA_DIR there at the very path that it has outside.',
      }
    return { exec, report: { ok: true, version: engine, image } }
  } catch (error) {
    if (error instanceof EngineError)
      return error.status === 404
        ? { why: `The Docker engine has no image ${image}.`, mend: `"docker pull ${image}" (or "docker build") brings it; then restart.` }
        : {
            why: `The Docker engine refused: ${error.message.replace(/[.\s]+$/, '')}.`,
            mend: 'Look into its log ("journalctl -u docker"), mend that and restart.',
          }
    if (error instanceof Fault) return { why: error.message, mend: 'Then restart Banyan.' }
    throw error
  } finally {
    await rm(workspace, { recursive: true, force: true })
  }
}

/** Names the owner of a DATA_DIR to engines that others use too; made once and kept there. Call it as the owner. */
export async function instanceId(dataDir: string): Promise<string> {
  const path = join(dataDir, 'instance-id')
  const kept = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  })
  if (/^[0-9a-f]{12}$/.test(kept.trim())) return kept.trim()
  const made = randomBytes(6).toString('hex')
  await writeFile(`${path}.new`, `${made}\n`)
  await rename(`${path}.new`, path)
  return made
}
