// Why each live call wants help, worked out once for the list, its order and its rows: a reason that is still the
// same stays the same object, so that a second that goes by draws nothing again. Knows no view.
import type { Limits } from '../api/types'
import { attention, type Why } from './attention'
import type { LiveBoard } from './board'
import type { Rank } from './order'
import { Store } from './store'

/** By call. */
export type WhyOf = ReadonlyMap<string, Why>

export class Whys extends Store<WhyOf> {
  readonly #board: Pick<LiveBoard, 'get' | 'sound'>
  readonly #limits: () => Limits
  #looked: { calls: unknown; second: number; ranks: Rank[] } = { calls: null, second: 0, ranks: [] }

  constructor(board: Pick<LiveBoard, 'get' | 'sound'>, limits: () => Limits) {
    super(new Map())
    this.#board = board
    this.#limits = limits
  }

  /** As it is at this instant of the server's clock; the rows as they are to be ordered. */
  look(now_ms: number): Rank[] {
    const second = Math.floor(now_ms / 1_000)
    // The list and the voice look at the same.
    if (this.#looked.calls === this.#board.get().calls && this.#looked.second === second)
      return this.#looked.ranks
    const old = this.get()
    const limits = this.#limits()
    const found = new Map<string, Why>()
    let same = true
    for (const [id, seen] of this.#board.get().calls) {
      const before = old.get(id)
      const now = attention(seen, now_ms, limits, this.#board.sound(id))
      const kept = before && sameWhy(before, now) ? before : now
      if (kept !== before) same = false
      found.set(id, kept)
    }
    if (!same || found.size !== old.size) this.set(found)
    const ranks = [...found].map(([id, { rank, since_ms, raised }]) => ({
      id,
      rank,
      since_ms,
      raised,
    }))
    this.#looked = { calls: this.#board.get().calls, second, ranks }
    return ranks
  }
}

function sameWhy(a: Why, b: Why): boolean {
  // How often is counted over the last minute, so it has no beginning.
  const since = a.since_ms === b.since_ms || a.code === 'talk_over'
  return (
    since &&
    a.code === b.code &&
    a.rank === b.rank &&
    a.count === b.count &&
    a.detail === b.detail &&
    a.raised === b.raised
  )
}
