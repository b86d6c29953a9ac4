import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

const LOG_CHARS = 6_000

export default defineTool({
  name: 'run_gates',
  description: `Runs the gates on your work tree of the source (see propose_change) without proposing anything, and answers the table: each gate with its verdict, and the log of the one that failed. What is not committed is committed on your branch first. Without "all" the quick ones run: protected paths, tests left alone, secrets, packages, migrations, layers, lint, types. With "all" tests too, which takes minutes.`,
  permission: 'self',
  effect: 'idempotent',
  needs: ['self'],
  input: z.object({ all: z.boolean().default(false) }),
  facts: () => ({ external: false }),
  async run({ all }, { self }) {
    const work = async () => {
      const { level, reasons, gates } = await self.gates({ quick: !all })
      const table = gates.map(({ name, verdict, summary }) => `${verdict.padEnd(7)} ${name}: ${summary}`)
      const bad = gates.find((gate) => gate.verdict === 'failed')
      const log = bad?.log.trim() ? `\n\nLog of "${bad.name}":\n${bad.log.trim().slice(-LOG_CHARS)}` : ''
      return answer(`Level ${level} (${reasons.join('; ')}).\n${table.join('\n')}${log}`)
    }
    return work().catch(faultAsMistake)
  },
})
