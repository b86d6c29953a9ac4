/** The floor of the flat job, measured beside it. */
import { stepsOf, writeSteps } from './floor.ts'

export function floorOf(database: string, folder: string, tasks: number): { cpuMs: number; wallMs: number; steps: number } {
  const steps = stepsOf(database, tasks)
  return { ...writeSteps(steps, database, folder), steps: steps.length }
}
