// What is said to who does not see the board: calls that have begun to want help. Politely, so at most one sentence
// in five seconds; what came meanwhile is in the next. Knows no words.
import { Store } from './store'
import type { WhyOf } from './whys'

export const SAY_EVERY_MS = 5_000

export interface Said {
  /** Calls that want help now and did not when last was spoken, the most urgent first. */
  calls: readonly string[]
  /** How many want help in all. */
  all: number
}

const NOTHING: Said = { calls: [], all: 0 }

export class Announcer extends Store<Said> {
  /** What was said of a call: another reason is news again. */
  #said = new Map<string, string>()
  #begun = false
  #spoke_ms = Number.NEGATIVE_INFINITY

  constructor() {
    super(NOTHING)
  }

  look(whys: WhyOf, now_ms: number): void {
    const raised = [...whys].filter(([, why]) => why.raised).sort(([, a], [, b]) => a.rank - b.rank)
    for (const id of [...this.#said.keys()]) if (!whys.get(id)?.raised) this.#said.delete(id)
    const fresh = raised.filter(
      ([id, { code, detail }]) => this.#said.get(id) !== key(code, detail),
    )
    // What is there as the page opens is on the page.
    if (!this.#begun && whys.size > 0) return this.#note(fresh, true)
    if (fresh.length === 0 || now_ms - this.#spoke_ms < SAY_EVERY_MS) return
    this.#spoke_ms = now_ms
    this.#note(fresh, false)
    this.set({ calls: fresh.map(([id]) => id), all: raised.length })
  }

  #note(fresh: [string, { code: string; detail: string | null }][], first: boolean): void {
    if (first) this.#begun = true
    for (const [id, { code, detail }] of fresh) this.#said.set(id, key(code, detail))
  }

  forget(): void {
    this.#said.clear()
    this.#begun = false
    this.#spoke_ms = Number.NEGATIVE_INFINITY
    this.set(NOTHING)
  }
}

const key = (code: string, detail: string | null) => `${code} ${detail ?? ''}`
