/** What a call about a job is answered. Pure. */

export type JobReport = {
  name: string
  command: string
  state: 'running' | 'ended'
  isolation: string
  ending: string | null
  output: string
  outputBytes: number
  /** The output is all that is kept, not what is new. */
  whole: boolean
  wallMs: number
  cpuMs: number | null
  peakMemoryBytes: number | null
}

export function writeJob(job: JobReport): string {
  const seconds = (job.wallMs / 1_000).toFixed(1)
  const command = job.command.replace(/\s+/g, ' ')
  const cpu = job.cpuMs === null ? '' : `, ${job.cpuMs} ms of CPU`
  const memory = job.peakMemoryBytes === null ? '' : `, at most ${Math.ceil(job.peakMemoryBytes / 2 ** 20)} MB of memory`
  const state = job.state === 'running' ? `running for ${seconds} s` : `ended: ${job.ending} (after ${seconds} s${cpu}${memory})`
  const what = job.whole ? 'all output that is kept' : 'new output'
  return [
    `${job.name}: ${state}`,
    `command: ${command.length > 200 ? `${command.slice(0, 199)}…` : command}`,
    `isolation: ${job.isolation}`,
    job.outputBytes === 0 ? `--- no ${job.whole ? '' : 'new '}output ---` : `--- ${what} (${job.outputBytes} bytes) ---`,
    job.output.trimEnd(),
  ]
    .join('\n')
    .trimEnd()
}
