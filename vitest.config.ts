import { defineConfig } from 'vitest/config'

// Forks, because tests load a native module and kill real processes; two, because many of them start more of their own.
const test = { pool: 'forks', testTimeout: 30_000, hookTimeout: 60_000 } as const

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...test,
          name: 'units',
          include: ['{core,tools,scripts,web}/**/*.test.{ts,tsx}'],
          exclude: ['web/e2e/**', '**/node_modules/**'],
          maxWorkers: 2,
        },
      },
      {
        // A browser and a whole Banyan keep two cores busy: one file after the other, when the rest is done. Two at once save a quarter of the
        // time and cost tests that fail for being slow.
        test: {
          ...test,
          name: 'pages',
          include: ['web/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          // A browser under load; what needs the second try is named at the end of `npm test`.
          retry: 1,
          maxWorkers: 1,
          expect: { poll: { timeout: 15_000 } },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
