// Makes docs/pictures/tour.webp of the stills that the tour kept: 2.6 s each. Needs Debian's `webp`.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const film = mkdtempSync(join(tmpdir(), 'undertone-film-'))
try {
  execFileSync('npx', ['vitest', 'run', '--config', 'vitest.e2e.config.ts', 'e2e/tour.test.ts'], {
    stdio: 'inherit',
    env: { ...process.env, FILM: film },
  })
  const stills = readdirSync(film).sort()
  const out = new URL('../../docs/pictures/tour.webp', import.meta.url).pathname
  const frames = stills.flatMap((still) => ['-lossy', '-q', '70', '-d', '2600', join(film, still)])
  execFileSync('img2webp', ['-loop', '0', ...frames, '-o', out], { stdio: 'inherit' })
} finally {
  rmSync(film, { recursive: true, force: true })
}
