/** Loads the tool files of a folder. A file that does not hold the tool it is named after ends the start with one sentence. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Fault } from '../contract/fault.ts'
import type { Tool } from '../tool.ts'

export async function loadTools(folder: string): Promise<Map<string, Tool>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  const tools = await Promise.all(
    files.map(async (file) => {
      const { default: tool } = (await import(pathToFileURL(join(folder, file)).href)) as { default?: Tool }
      if (tool?.name !== file.slice(0, -3))
        throw new Fault('invalid', `tools/${file} must export by default a tool named "${file.slice(0, -3)}".`)
      return tool
    }),
  )
  return new Map(tools.map((tool) => [tool.name, tool]))
}
