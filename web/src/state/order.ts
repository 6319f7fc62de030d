// In which order rows stand: by attention, but calm. Rows move at most every five seconds, never under
// the pointer or the focus; what has come or gone meanwhile is counted for the "apply" chip.
import { Store } from './store'

export const RESORT_MS = 5_000
export const RAISED_AT_MOST = 3

export interface Rank {
  id: string
  rank: number
  since_ms: number
  raised: boolean
}

export interface Shown {
  ids: readonly string[]
  raised: ReadonlySet<string>
  /** Rows that would stand elsewhere, come or go if the order were made anew now. */
  waiting: number
}

const sorted = (rows: readonly Rank[]) =>
  [...rows].sort((a, b) => a.rank - b.rank || a.since_ms - b.since_ms || (a.id < b.id ? -1 : 1))

/** How many can stay where they are when the others move: the longest rising run, gaps allowed. */
function longestRun(places: readonly number[]): number {
  const tails: number[] = []
  for (const place of places) {
    const at = tails.findIndex((tail) => tail >= place)
    tails[at === -1 ? tails.length : at] = place
  }
  return tails.length
}

export class Order {
  readonly shown = new Store<Shown>({ ids: [], raised: new Set(), waiting: 0 })
  #rows: readonly Rank[] = []
  #held = false
  #sorted_ms = Number.NEGATIVE_INFINITY

  /** The pointer is over the list, or the focus in it. */
  hold(held: boolean, now_ms: number): void {
    this.#held = held
    this.rows(this.#rows, now_ms)
  }

  rows(rows: readonly Rank[], now_ms: number): void {
    this.#rows = rows
    const due = now_ms - this.#sorted_ms >= RESORT_MS
    if (due && !this.#held) this.apply(now_ms)
    else this.#keep()
  }

  /** Makes the order anew now: the chip was pressed, or it is time. */
  apply(now_ms: number): void {
    this.#sorted_ms = now_ms
    const rows = sorted(this.#rows)
    const raised = rows.filter((row) => row.raised).slice(0, RAISED_AT_MOST)
    this.#show({
      ids: rows.map((row) => row.id),
      raised: new Set(raised.map((row) => row.id)),
      waiting: 0,
    })
  }

  /** Nothing moves: who went leaves a gap that closes, who came stands at the end. */
  #keep(): void {
    const there = new Map(this.#rows.map((row) => [row.id, row]))
    const before = this.shown.get()
    const kept = before.ids.filter((id) => there.has(id))
    const came = sorted(this.#rows).filter((row) => !before.ids.includes(row.id))
    const ids = [...kept, ...came.map((row) => row.id)]
    const wanted = sorted(this.#rows).map((row) => row.id)
    const waiting = ids.length - longestRun(wanted.map((id) => ids.indexOf(id)))
    const raised = new Set([...before.raised].filter((id) => there.get(id)?.raised))
    this.#show({ ids, raised, waiting })
  }

  #show(next: Shown): void {
    const old = this.shown.get()
    const same =
      old.waiting === next.waiting &&
      old.ids.length === next.ids.length &&
      old.ids.every((id, place) => next.ids[place] === id) &&
      old.raised.size === next.raised.size &&
      [...old.raised].every((id) => next.raised.has(id))
    if (!same) this.shown.set(next)
  }
}
