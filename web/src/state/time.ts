// The server's time as the page knows it, one shared tick a second, and how durations are written.
import { Store } from './store'

/** Offset of the server's clock, learnt from what it sends; the least delayed sample counts most. */
export class ServerClock {
  #offset_ms = 0
  #round_trip_ms = Number.POSITIVE_INFINITY

  now(): number {
    return Date.now() + this.#offset_ms
  }

  /** `server_ms` was true at some instant between `asked_ms` and `answered_ms`, by our own clock. */
  learn(server_ms: number, asked_ms: number, answered_ms: number): void {
    const round_trip = answered_ms - asked_ms
    // A worse sample is taken in the end as well, or a clock that is set would never be followed.
    this.#round_trip_ms *= 1.1
    if (!Number.isFinite(server_ms) || round_trip > this.#round_trip_ms) return
    this.#round_trip_ms = Math.max(round_trip, 1)
    const offset = server_ms - (asked_ms + answered_ms) / 2
    // The header `Date` has whole seconds; a smaller difference says nothing.
    this.#offset_ms = Math.abs(offset) < 1_500 ? 0 : offset
  }
}

/** Counts seconds while somebody watches. */
export class Ticker {
  readonly seconds = new Store(0)
  #timer: ReturnType<typeof setInterval> | null = null
  #watchers = 0

  watch = (watcher: () => void): (() => void) => {
    const stop = this.seconds.watch(watcher)
    this.#watchers += 1
    this.#timer ??= setInterval(() => this.seconds.update((n) => n + 1), 1_000)
    return () => {
      stop()
      this.#watchers -= 1
      if (this.#watchers === 0 && this.#timer !== null) {
        clearInterval(this.#timer)
        this.#timer = null
      }
    }
  }
}

/** `4:05`, `1:02:03`. */
export function clockText(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1_000))
  const two = (n: number) => String(n).padStart(2, '0')
  const [hours, minutes, seconds] = [Math.floor(all / 3_600), Math.floor(all / 60) % 60, all % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}
