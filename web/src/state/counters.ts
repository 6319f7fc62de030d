// How much one has whispered on a call. Counts run from speech, as measured at the agent's ear, not from
// the button; pauses of a breath do not split a whisper in two.
import type { Call, Limits, Supervision } from '../api/types'

const BREATH_MS = 1_500

export interface WhisperCount {
  /** The present whisper, 0 if one is silent. */
  now_ms: number
  count: number
  total_ms: number
}

export type Excess = 'long' | 'share' | 'often'

export class WhisperCounter {
  #began_ms: number | null = null
  #last_ms = 0
  #count = 0
  #total_ms = 0

  /** `before`: what was whispered before one counted. */
  constructor(before: Pick<WhisperCount, 'count' | 'total_ms'> = { count: 0, total_ms: 0 }) {
    this.#count = before.count
    this.#total_ms = before.total_ms
  }

  /** `speaking`: whether the agent hears the supervisor at this instant. */
  sample(at_ms: number, speaking: boolean): void {
    if (speaking) {
      if (this.#began_ms === null || at_ms - this.#last_ms > BREATH_MS) {
        this.#close()
        this.#began_ms = at_ms
        this.#count += 1
      }
      this.#last_ms = at_ms
    } else if (this.#began_ms !== null && at_ms - this.#last_ms > BREATH_MS) {
      this.#close()
    }
  }

  #close(): void {
    if (this.#began_ms !== null) this.#total_ms += this.#last_ms - this.#began_ms
    this.#began_ms = null
  }

  read(at_ms: number): WhisperCount {
    const running = this.#began_ms === null ? 0 : this.#last_ms - this.#began_ms
    const still = this.#began_ms !== null && at_ms - this.#last_ms <= BREATH_MS
    return { now_ms: still ? running : 0, count: this.#count, total_ms: this.#total_ms + running }
  }
}

/**
 * What one has whispered on this call until now, on earlier visits too: the modes' intervals, as the server has them.
 * The one that runs is counted when one speaks again.
 */
export function whispered(
  call: Call,
  mine: Supervision,
  now_ms: number,
): Pick<WhisperCount, 'count' | 'total_ms'> {
  const own = call.supervisions.filter((one) => one.supervisor.id === mine.supervisor.id)
  const all = own.some((one) => one.id === mine.id) ? own : [...own, mine]
  const spans = all.flatMap((one) => one.spans).filter((span) => span.mode === 'whisper')
  const length = (span: (typeof spans)[number]) =>
    Math.max(0, (span.to ? Date.parse(span.to) : now_ms) - Date.parse(span.from))
  return {
    count: spans.filter((span) => span.to).length,
    total_ms: spans.reduce((sum, span) => sum + length(span), 0),
  }
}

/** What is too much of it, by the limits of policy; null while it is short and selective. */
export function excess(count: WhisperCount, watched_ms: number, limits: Limits): Excess | null {
  if (count.now_ms > limits.whisper_long_ms) return 'long'
  const minutes = watched_ms / 60_000
  if (minutes < 1) return null
  if (count.total_ms > watched_ms * limits.whisper_share) return 'share'
  return count.count / minutes > limits.whisper_per_min ? 'often' : null
}
