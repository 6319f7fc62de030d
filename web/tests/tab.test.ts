import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nameThisPage, pageName } from '../src/state/tab'

/** As the browser's: one holder a name, and who asks waits for it or gives up. */
class Locks {
  readonly #held = new Map<string, (() => void)[]>()
  request(name: string, { signal }: { signal: AbortSignal }, got: () => Promise<never>) {
    const take = () => {
      this.#held.set(name, [])
      void got().then(() => this.release(name))
    }
    if (!this.#held.has(name)) take()
    else this.#held.get(name)?.push(take)
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('late'))),
    )
  }
  release(name: string) {
    const next = this.#held.get(name)?.shift()
    this.#held.delete(name)
    next?.()
  }
}

const storage = (from: Record<string, string> = {}) => {
  const map = new Map(Object.entries(from))
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    all: () => Object.fromEntries(map),
  }
}

const named = async (kept: ReturnType<typeof storage>, locks: Locks | undefined) => {
  const naming = nameThisPage(kept, locks as never)
  await vi.advanceTimersByTimeAsync(5_000)
  return [await naming, pageName(kept)] as const
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Its timer is the browser's, which no test moves on. */
vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
  const late = new AbortController()
  setTimeout(() => late.abort(), ms)
  return late.signal
})

test('a copy of a tab has a name of its own, and the first keeps its', async () => {
  const locks = new Locks()
  const first = storage()
  const [copied, name] = await named(first, locks)
  expect(copied).toBe(false)
  const second = storage(first.all())
  const [isCopy, other] = await named(second, locks)
  expect(isCopy).toBe(true)
  expect(other).not.toBe(name)
  expect(pageName(first)).toBe(name)
})

test('a page that is loaded again keeps its name, though the old one is let go a moment late', async () => {
  const locks = new Locks()
  const kept = storage({ 'undertone.tab': 'one' })
  await named(kept, locks)
  setTimeout(() => locks.release('undertone page one'), 400)
  expect(await named(kept, locks)).toEqual([false, 'one'])
})

test('where the browser has no locks the name stays as it is', async () => {
  expect(await named(storage({ 'undertone.tab': 'one' }), undefined)).toEqual([false, 'one'])
})
