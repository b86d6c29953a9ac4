import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Forks, because tests load a native module and kill real processes. Three on two cores: a test waits for a third of its time.
// They share the cores with each other and with what they start, so what is waited for may come late.
const test = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000, maxWorkers: 3, expect: { poll: { timeout: 15_000 } } } as const

/** They start whole systems and take up to two minutes: begun last, they would keep everybody waiting at the end. */
const LONG = /\/(scripts\/[^/]+|scripts\/(proof|keeper)\/[^/]+|core\/self\/change[^/]*)\.test\.ts$/
/** Seconds that a file takes, about. */
const SECONDS = { page: 30, long: 40, other: 5 }

/** One worker of the three is with the pages at a time, more or less: a page waits for its browser half of the time, three would wait for each other. */
class Mixed extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const pages = sorted.filter(({ project }) => project.name === 'pages')
    const units = sorted.filter(({ project }) => project.name !== 'pages')
    const long = units.filter(({ moduleId }) => LONG.test(moduleId))
    const rest = [...long, ...units.filter((file) => !long.includes(file))]
    const mixed: TestSpecification[] = []
    let [withPages, withRest] = [0, 0]
    while (pages.length + rest.length > 0) {
      if (pages.length > 0 && (rest.length === 0 || withPages * 2 <= withRest)) {
        mixed.push(pages.shift()!)
        withPages += SECONDS.page
      } else {
        const file = rest.shift()!
        mixed.push(file)
        withRest += long.includes(file) ? SECONDS.long : SECONDS.other
      }
    }
    return mixed
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: Mixed },
    projects: [
      {
        test: {
          ...test,
          name: 'units',
          include: ['{core,tools,scripts,web}/**/*.test.{ts,tsx}'],
          exclude: ['web/e2e/**', '**/node_modules/**'],
        },
      },
      {
        test: {
          ...test,
          name: 'pages',
          include: ['web/e2e/**/*.test.ts'],
          // A browser under load; what needs the second try is named at the end of `npm test`.
          retry: 1,
        },
      },
    ],
  },
})
