// A value that can be watched. All state outside React lives in these; React reads them by
// `useSyncExternalStore` (views/use.ts).

export class Store<T> {
  #value: T
  #watchers = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  // Arrows, because they are handed on by themselves.
  get = (): T => this.#value

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const watcher of [...this.#watchers]) watcher()
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value))
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }
}
