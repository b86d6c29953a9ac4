/** A private Banyan for tests of the page and for pictures: an engine of its own on a data folder of its own, driven by the playbook. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { globSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compiled } from './testing/compiled.ts'

const root = dirname(import.meta.dirname)

export type Instance = {
  url: string
  dataDir: string
  /** Logs a browser in, once. */
  loginUrl: string
  token: string
  /** Resolves with the code with which the engine has ended, by itself or not. */
  ended(): Promise<number | null>
  /** Ends the engine without a word, as a power cut would. */
  kill(): Promise<void>
  /** Starts it again on the same data and port; the new login link is not needed, sessions go on. `more` are settings of that run. */
  restart(more?: Readonly<Record<string, string>>): Promise<void>
  /** Ends it and takes its data away. */
  remove(): Promise<void>
}

/**
 * Starts an engine; resolves when it answers. `settings` are environment variables besides those that it needs. `checkout`: the source that it
 * may change, in place of this one.
 */
export async function startInstance(settings: Readonly<Record<string, string>> = {}, checkout?: string): Promise<Instance> {
  buildPageIfOld()
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-page-'))
  const token = 'a-token-for-this-instance-only'
  let engine = await startEngine(dataDir, { PORT: '0', ADMIN_TOKEN: token, ...settings }, checkout)
  return {
    url: engine.url,
    dataDir,
    loginUrl: engine.loginUrl,
    token,
    ended: async () => {
      const { child } = engine
      return child.exitCode ?? new Promise((resolve) => child.once('close', resolve))
    },
    kill: () => end(engine.child, 'SIGKILL'),
    async restart(more = {}) {
      const now = { ADMIN_TOKEN: token, ...settings, ...more, PORT: settings.PORT ?? new URL(engine.url).port }
      engine = await startEngine(dataDir, now, checkout)
    },
    async remove() {
      await end(engine.child, 'SIGKILL')
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function startEngine(dataDir: string, settings: Readonly<Record<string, string>>, checkout?: string) {
  const argv = [join(root, 'scripts', 'engine.ts'), ...(checkout === undefined ? [] : [`--checkout=${checkout}`])]
  const child = spawn(process.execPath, argv, {
    cwd: root,
    // Nothing else of this environment: no key of the person who runs the tests is spent.
    env: {
      PATH: process.env.PATH ?? '',
      ...compiled(),
      HOME: dataDir,
      DATA_DIR: dataDir,
      HOST: '127.0.0.1',
      MODEL: 'playbook',
      ...settings,
    },
    // The channel makes it end with this process, however that ends.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let said = ''
  const { url, loginUrl } = await new Promise<{ url: string; loginUrl: string }>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString()
      const url = /Banyan runs at (\S+)/.exec(said)
      const loginUrl = /Log in: (\S+)\n/.exec(said)
      if (url && loginUrl) resolve({ url: url[1]!, loginUrl: loginUrl[1]! })
    }
    // The channel makes this process its keeper, and without a word of that it would wait.
    child.on('message', (message: unknown) => {
      const isReady = typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready'
      if (isReady) child.send({ type: 'accepted' })
    })
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`the engine ended with ${code} before it answered; it said:\n${said}`)))
  })
  return { child, url, loginUrl }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.kill(signal)
  await gone
}

/** `npm start` and `npm test` build the page before; this is for a test or a picture that is run by hand after an edit. */
export function buildPageIfOld(): void {
  const built = join(root, 'web', 'dist', 'index.html')
  const sources = globSync('{web/*,web/{data,pages,public,shell,styles,ui,views,words}/**,core/contract/*}', { cwd: root })
  const age = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const files = sources.map((path) => statSync(join(root, path))).filter((file) => file.isFile())
  if (files.every((file) => file.mtimeMs < age)) return
  const fresh = join(root, 'web', `dist.new-${process.pid}`)
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  execFileSync(process.execPath, [vite, 'build', 'web', '--outDir', fresh, '--logLevel', 'warn'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: 'inherit',
  })
  rmSync(join(root, 'web', 'dist'), { recursive: true, force: true })
  renameSync(fresh, join(root, 'web', 'dist'))
}
