// The tests in a real browser against a real server, one after another: they share two cores.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    include: ['e2e/**/*.test.ts'],
    fileParallelism: false,
    retry: 0,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
})
