/** `npm run check`: everything about the source that can be said without running it. */
import { spawn } from 'node:child_process'
import { dirname } from 'node:path'

const PARTS: Record<string, readonly string[]> = {
  // What it found out is kept: a second run takes a tenth of the first.
  types: [
    'node_modules/typescript/bin/tsc',
    '-p',
    '.',
    '--pretty',
    'false',
    '--incremental',
    '--tsBuildInfoFile',
    'node_modules/.cache/types.tsbuildinfo',
  ],
  layers: ['scripts/layers.ts'],
  strip: ['scripts/strip.ts'],
  lint: ['node_modules/@biomejs/biome/bin/biome', 'check', '--max-diagnostics=50', '.'],
}

/** Runs the parts side by side, prints one line each and the words of those that failed. Answers the names of the failed. */
export async function check(root: string): Promise<string[]> {
  const failed: string[] = []
  await Promise.all(
    Object.entries(PARTS).map(async ([name, argv]) => {
      const began = performance.now()
      const { code, words } = await run(root, argv)
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
      if (code === 0) return
      failed.push(name)
      console.log(words.trimEnd())
    }),
  )
  return failed
}

function run(root: string, argv: readonly string[]): Promise<{ code: number | null; words: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let words = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (words += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, words }))
  })
}

if (import.meta.main) process.exitCode = (await check(dirname(import.meta.dirname))).length > 0 ? 1 : 0
