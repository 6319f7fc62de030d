// How figures of the browser are printed, and kept beside those of `undertone-bench`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const FILE =
  process.env['FIGURES'] ?? new URL('../../target/bench/browser.json', import.meta.url).pathname

export function quantile(values: number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null
}

const short = (value: number | null) => (value === null ? '-' : value.toFixed(1))

export function line(what: string, ms: number[], of = ms.length): void {
  const [half, most] = [quantile(ms, 0.5), quantile(ms, 0.95)]
  console.log(
    `${what.padEnd(28)} p50 ${short(half).padStart(6)} ms  p95 ${short(most).padStart(6)} ms` +
      `  (${ms.length} of ${of})`,
  )
}

/** Adds one entry to the file; lists become their p50 and p95. */
export function report(name: string, values: Record<string, number | number[]>): void {
  let known: Record<string, unknown> = {}
  try {
    known = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>
  } catch {
    // The first of this machine.
  }
  const shown = Object.entries(values).map(([key, value]) => [
    key,
    Array.isArray(value) ? { p50: quantile(value, 0.5), p95: quantile(value, 0.95) } : value,
  ])
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(
    FILE,
    JSON.stringify({ ...known, [name]: Object.fromEntries(shown) }, null, 2) + '\n',
  )
}
