import * as z from 'zod'
import { lineOf, riskOf } from '../core/contract/command-text.ts'
import { writeJob } from '../core/contract/job-text.ts'
import { answer, defineTool, faultAsMistake, mistake } from '../core/tool.ts'

const input = z
  .object({
    job: z.string().max(64).describe('Its name, as use_terminal answered it: "job-1".'),
    action: z.enum(['poll', 'write', 'stop']).describe('poll: what is new. write: type "text" into it. stop: end it with all it started.'),
    text: z.string().max(100_000).optional().describe('For write: exactly what is typed. A line needs its \\n at the end.'),
    end_input: z.boolean().optional().describe('For write: after the text nothing more comes (end of file).'),
    wait_seconds: z.number().min(0).max(120).default(10).describe('How long poll and write wait at most.'),
    wait_for: z
      .enum(['output', 'end'])
      .default('output')
      .describe('output: until something new was put out. end: until the job has ended, for builds and tests.'),
  })
  .refine((given) => given.action === 'write' || (given.text === undefined && given.end_input === undefined), {
    path: ['text'],
    error: 'text and end_input are for the action "write" only',
  })
  .refine((given) => given.action !== 'write' || given.text !== undefined || given.end_input === true, {
    path: ['text'],
    error: 'write needs "text", or "end_input": true',
  })

export default defineTool({
  name: 'terminal_job',
  description: `Looks at, writes to or stops a job that you started with use_terminal and "background": true.

- Every answer says whether the job runs or how it ended, and shows only the output that is new since your last look; of a long output the first and last 15 kB.
- poll returns as soon as there is something new, or after wait_seconds. Wait longer instead of asking often: each call costs a turn.
- write is for programs that ask. What you type is shown to a person first, like a command.
- stop asks it to end, and ends it by force after 2 s. Jobs end by themselves when your task does; stop what you need no more.
- A job does not survive a restart of the system: poll then says so and shows the output until then. Start it again if it is still needed.`,
  permission: 'exec',
  needs: ['jobs'],
  input,
  // Also when the job is gone by now: the program may have done what it was told before that.
  effect: ({ action }) => (action === 'write' ? 'once' : action === 'stop' ? 'idempotent' : 'read'),
  permit(given, { jobs }) {
    const job = given.action === 'write' ? jobs.live(given.job) : null
    if (job === null) return 'allow'
    const line = 'shell' in job.run ? job.run.shell : lineOf(job.run.argv)
    const typed = JSON.stringify(given.text ?? '')
    return {
      ask: {
        title: `Type into ${job.name} (${job.command.replace(/\s+/g, ' ').slice(0, 60)}): ${typed.length > 60 ? `${typed.slice(0, 59)}…` : typed}`,
        action: {
          tool: 'terminal_job',
          job: job.name,
          command: job.command,
          cwd: job.cwd,
          text: given.text ?? '',
          ...(given.end_input ? { endInput: true } : {}),
          ...(job.secrets.length === 0 ? {} : { secrets: job.secrets }),
          ...(job.hosts.length === 0 ? {} : { network: job.hosts }),
          isolation: job.isolation,
        },
        risk: riskOf(line) === 'high' ? 'high' : 'medium',
      },
    }
  },
  facts(given, { jobs }) {
    const job = given.action === 'write' ? jobs.live(given.job) : null
    if (job === null) return { idle: true }
    return {
      by: 'agent',
      run: job.run,
      cwd: job.cwd,
      stdin: `${given.text ?? ''}${given.end_input ? '\0' : ''}`,
      isolation: job.isolation,
      online: job.isolation === 'plain' || job.hosts.length > 0,
      ...(job.secrets.length === 0 ? {} : { secrets: job.secrets, external: true }),
      ...(job.hosts.length === 0 ? {} : { network: job.hosts, external: true }),
    }
  },
  async run(given, { jobs }) {
    const work = async () => {
      if (given.action === 'write') {
        if (jobs.live(given.job) === null)
          return mistake(`Nothing was typed.\n${writeJob(await jobs.poll(given.job, { until: 'output', ms: 0 }))}`)
        jobs.write(given.job, { text: given.text ?? '', end: given.end_input ?? false })
      }
      if (given.action === 'stop') await jobs.stop(given.job)
      const wait = { until: given.wait_for, ms: given.action === 'stop' ? 0 : given.wait_seconds * 1_000 }
      return answer(writeJob(await jobs.poll(given.job, wait)))
    }
    return work().catch(faultAsMistake)
  },
})
