// What is measured in a browser and printed, and asserted by no test: `scripts/web bench`.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    include: ['bench/**/*.bench.ts'],
    fileParallelism: false,
    retry: 0,
    // The figures as they are printed, one a line.
    disableConsoleIntercept: true,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})
