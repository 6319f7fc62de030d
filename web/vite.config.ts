/// <reference types="vitest/config" />
// Builds the pages that the server embeds. `undertone demo` is the back end of `npm run dev` too.
import { lingui } from '@lingui/vite-plugin'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = process.env.UNDERTONE ?? 'http://127.0.0.1:8080'

const proxy = { '/api': { target: server, ws: true }, '/readyz': server }

export default defineConfig({
  plugins: [react(), lingui()],
  build: { target: 'es2022', assetsInlineLimit: 0, sourcemap: false, chunkSizeWarningLimit: 800 },
  server: { proxy },
  preview: { proxy },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.{ts,tsx}'] },
})
