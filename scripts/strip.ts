/**
 * Fails on TypeScript that Node cannot run as it stands. tsc's erasableSyntaxOnly catches most of it, but not decorators and `accessor`,
 * and the test runner compiles what Node would refuse; so every file is stripped by Node's own stripper and parsed by its own engine.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import * as vm from 'node:vm'

/** The engine's complaint, or null. Needs --experimental-vm-modules, the only way to parse a module without running it. */
function complaint(path: string, source: string): string | null {
  try {
    new vm.SourceTextModule(stripTypeScriptTypes(source), { identifier: path })
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const SWITCH = ['--experimental-vm-modules', '--no-warnings']
if (import.meta.main) {
  if ('SourceTextModule' in vm && vm.SourceTextModule !== undefined) {
    const root = process.argv[2] ?? dirname(import.meta.dirname)
    const files = globSync('{core,tools,scripts}/**/*.ts', { cwd: root, exclude: (path) => path.endsWith('node_modules') }).filter(
      (path) => !path.endsWith('.d.ts'),
    )
    const faults = files.flatMap((path) => {
      const why = complaint(path, readFileSync(join(root, path), 'utf8'))
      return why === null ? [] : [`${path}: Node cannot run this: ${why}`]
    })
    for (const fault of faults) console.error(fault)
    console.log(`${files.length} files, ${faults.length} faults`)
    process.exitCode = faults.length > 0 ? 1 : 0
  } else {
    process.exitCode =
      spawnSync(process.execPath, [...SWITCH, import.meta.filename, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1
  }
}
