/** Docker's own command line, for proofs: what a person would type, with its words and its exit code. */
import { spawn } from 'node:child_process'

export type Said = { code: number; out: string; err: string }

/** Resolves also when it failed; rejects only when there is no such program. `input` goes to its stdin. */
export function docker(
  args: readonly string[],
  { cwd, env = {}, show = false }: { cwd?: string; env?: Record<string, string>; show?: boolean } = {},
) {
  return new Promise<Said>((resolve, reject) => {
    const child = spawn('docker', args, { ...(cwd ? { cwd } : {}), env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { out: '', err: '' }
    for (const [name, stream] of [
      ['out', child.stdout],
      ['err', child.stderr],
    ] as const)
      stream.on('data', (chunk) => {
        said[name] += String(chunk)
        if (show) process.stderr.write(chunk)
      })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, ...said }))
  })
}

/** The same, and its trimmed output; rejects with its words when it failed. */
export async function must(args: readonly string[], options: Parameters<typeof docker>[1] = {}): Promise<string> {
  const { code, out, err } = await docker(args, options)
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}: ${(err || out).trim().slice(-2_000)}`)
  return out.trim()
}

/** Versions of the engine and of Compose; or why nothing can be tried here. */
export async function engineHere(): Promise<{ engine: string; compose: string } | { untried: string }> {
  try {
    const engine = await docker(['version', '--format', '{{.Server.Version}}'])
    if (engine.code !== 0)
      return { untried: `no Docker engine answers (${engine.err.trim().split('\n').at(-1)}); start one, or set DOCKER_HOST.` }
    const compose = await docker(['compose', 'version', '--short'])
    if (compose.code !== 0) return { untried: 'Docker has no Compose 2 here ("docker compose"); install its plugin.' }
    return { engine: engine.out.trim(), compose: compose.out.trim() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { untried: 'the command "docker" is not installed.' }
    throw error
  }
}
