// Writes a .gz beside what compresses well, so that the server need not compress at run time; prints
// what a first visit loads, and fails above 250 kB.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LIMIT = 250_000
const dist = new URL('../dist/', import.meta.url)
const packed = new Map()
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|svg|json)$/.test(entry.name)) continue
  const path = `${entry.parentPath ?? entry.path}/${entry.name}`
  const gz = gzipSync(readFileSync(path), { level: 9 })
  writeFileSync(`${path}.gz`, gz)
  packed.set(entry.name, gz.length)
}
const html = readFileSync(new URL('index.html', dist), 'utf8')
const first = [...html.matchAll(/(?:src|href)="\/(?:assets\/)?([^"]+\.(?:js|css|svg))"/g)].map(
  (m) => m[1],
)
// The language is asked for by script, but nothing shows before it is there.
first.push(...[...packed.keys()].filter((name) => name.startsWith('en-')))
const bytes = first.reduce((sum, name) => sum + (packed.get(name) ?? 0), gzipSync(html).length)
console.log(
  `first load: ${(bytes / 1000).toFixed(1)} kB gzip in ${first.length + 1} files (at most ${LIMIT / 1000})`,
)
if (bytes > LIMIT) process.exit(1)
