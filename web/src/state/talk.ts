// What the meters tell of a conversation without understanding it: how long nobody has spoken, and how
// often people talk over each other. Knows levels, not words, and no call's state.
import type { PartyMeter } from '../api/types'

const OVER_MS = 1_500
const MINUTE_MS = 60_000

export interface Sound {
  /** Since when nobody speaks; null while somebody does, or while nothing is known. */
  silent_since_ms: number | null
  /** Times that two spoke at once for a while, in the last minute. */
  talk_overs: number
}

export const UNKNOWN: Sound = { silent_since_ms: null, talk_overs: 0 }

export class Talk {
  #silent_since_ms: number | null = null
  #over_since_ms: number | null = null
  #counted = false
  #overs: number[] = []
  #at_ms = 0

  /** Levels of one instant; who supervises is not counted among those who talk. */
  take(parties: readonly PartyMeter[], at_ms: number): void {
    this.#at_ms = at_ms
    const speaking = parties.filter((party) => party.speaking).length
    if (speaking > 0) this.#silent_since_ms = null
    else this.#silent_since_ms ??= at_ms
    if (speaking < 2) {
      this.#over_since_ms = null
      this.#counted = false
      return
    }
    this.#over_since_ms ??= at_ms
    if (!this.#counted && at_ms - this.#over_since_ms >= OVER_MS) {
      this.#counted = true
      this.#overs.push(at_ms)
    }
  }

  read(): Sound {
    this.#overs = this.#overs.filter((at) => this.#at_ms - at < MINUTE_MS)
    return { silent_since_ms: this.#silent_since_ms, talk_overs: this.#overs.length }
  }
}
