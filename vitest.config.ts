import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{core,tools,scripts,web}/**/*.test.{ts,tsx}'],
    // Forks, because tests load a native module and kill real processes; two, because many of them start more of their own.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
