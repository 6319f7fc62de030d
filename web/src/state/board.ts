// What is on the board: live calls and people, whole, as last told. Applies snapshots and changes;
// does not know where they come from, who looks, or in which order they are shown.
import type { Refused } from '../api/client'
import type { Agent, Call, PartyMeter, Help } from '../api/types'
import { Store } from './store'
import { Talk, UNKNOWN, type Sound } from './talk'

/** After so long without a word the board says that it is old. */
export const STALE_MS = 12_000

/** Levels of a watched call come five times a second. */
const MEASURED_MS = 3_000
/** Without levels the board tells, which says something at least every 2.5 s. */
const TOLD_MS = 8_000

/** A call as it was at an instant of the server's clock; timers count on from there. */
export interface Seen {
  call: Call
  seen_ms: number
}

export interface Board {
  loaded: boolean
  calls: ReadonlyMap<string, Seen>
  agents: ReadonlyMap<string, Agent>
  help: ReadonlyMap<string, Help>
  /** By our own clock. */
  heard_ms: number
  error: Refused | null
}

export interface Changes {
  calls?: Call[]
  gone_calls?: string[]
  agents?: Agent[]
  gone_agents?: string[]
  help?: Help[]
  gone_help?: string[]
}

const EMPTY: Board = {
  loaded: false,
  calls: new Map(),
  agents: new Map(),
  help: new Map(),
  heard_ms: 0,
  error: null,
}

/** Sums that grow by themselves are no news. */
function sameCall(a: Call, b: Call): boolean {
  const { timing: _a, ...one } = a
  const { timing: _b, ...other } = b
  return JSON.stringify(one) === JSON.stringify(other)
}

const sameAgent = (a: Agent, b: Agent) => JSON.stringify(a) === JSON.stringify(b)

export class LiveBoard extends Store<Board> {
  /** By call, then by party: levels of the calls that are watched. */
  readonly meters = new Store<ReadonlyMap<string, PartyMeter[]>>(new Map())

  readonly #talks = new Map<string, Talk>()
  /** When levels of a call came last, by our own clock. */
  readonly #metered_ms = new Map<string, number>()

  constructor() {
    super(EMPTY)
  }

  /** All there is. What did not change stays the same object, so that its row is not drawn again. */
  snapshot(calls: Call[], agents: Agent[], help: Help[], seen_ms: number): void {
    const old = this.get()
    const known = (call: Call): Seen => {
      const before = old.calls.get(call.id)
      return before && sameCall(before.call, call) ? before : { call, seen_ms }
    }
    const person = (agent: Agent): Agent => {
      const before = old.agents.get(agent.id)
      return before && sameAgent(before, agent) ? before : agent
    }
    this.set({
      loaded: true,
      calls: new Map(calls.filter(alive).map((call) => [call.id, known(call)])),
      agents: new Map(agents.map((agent) => [agent.id, person(agent)])),
      help: new Map(help.map((one) => [one.id, one])),
      heard_ms: Date.now(),
      error: null,
    })
  }

  changes(changes: Changes, seen_ms: number): void {
    this.update((old) => ({
      ...old,
      calls: changed(
        old.calls,
        (changes.calls ?? []).filter(alive).map((call) => ({ id: call.id, call, seen_ms })),
        changes.gone_calls,
      ),
      agents: changed(old.agents, changes.agents, changes.gone_agents),
      help: changed(old.help, changes.help, changes.gone_help),
      heard_ms: Date.now(),
      error: null,
    }))
  }

  /** One call as an answer to a command showed it; one that is gone by now does not come back by it. */
  call(call: Call, seen_ms: number): void {
    this.update((old) => {
      if (!old.calls.has(call.id)) return old
      const calls = new Map(old.calls)
      if (alive(call)) calls.set(call.id, { call, seen_ms })
      else calls.delete(call.id)
      return { ...old, calls }
    })
  }

  heard(): void {
    this.update((old) => ({ ...old, heard_ms: Date.now() }))
  }

  meter(call: string, parties: PartyMeter[], at_ms: number): void {
    this.#metered_ms.set(call, Date.now())
    this.meters.update((old) => new Map(old).set(call, parties))
    const supervisors = this.get()
      .calls.get(call)
      ?.call.parties.filter((one) => one.role === 'supervisor')
    const talking = parties.filter((one) => !supervisors?.some((party) => party.id === one.id))
    const talk = this.#talks.get(call) ?? new Talk()
    this.#talks.set(call, talk)
    talk.take(talking, at_ms)
  }

  /** Whether what is known of who hears whom on a call is of just now, and not of before a break. */
  isMeasured(call: string, now_ms: number): boolean {
    const metered_ms = this.#metered_ms.get(call)
    return metered_ms === undefined
      ? now_ms - this.get().heard_ms < TOLD_MS
      : now_ms - metered_ms < MEASURED_MS
  }

  /** What is known of a call's sound; nothing, as long as it is not watched. */
  sound(call: string): Sound {
    return this.#talks.get(call)?.read() ?? UNKNOWN
  }

  /** Levels are wanted of these calls alone; what is known of others grows old. */
  watched(calls: readonly string[]): void {
    for (const call of [...this.#talks.keys()]) if (!calls.includes(call)) this.#talks.delete(call)
    for (const call of [...this.#metered_ms.keys()])
      if (!calls.includes(call)) this.#metered_ms.delete(call)
    const meters = [...this.meters.get()].filter(([call]) => calls.includes(call))
    if (meters.length !== this.meters.get().size) this.meters.set(new Map(meters))
  }

  failed(error: Refused): void {
    this.update((old) => ({ ...old, error }))
  }

  forget(): void {
    this.set(EMPTY)
    this.watched([])
  }
}

const alive = (call: Call) => call.state !== 'ended'

function changed<T extends { id: string }>(
  old: ReadonlyMap<string, T>,
  now: (T & { id: string })[] | undefined,
  gone: string[] | undefined,
): ReadonlyMap<string, T>
function changed(
  old: ReadonlyMap<string, Seen>,
  now: (Seen & { id: string })[],
  gone: string[] | undefined,
): ReadonlyMap<string, Seen>
function changed(
  old: ReadonlyMap<string, unknown>,
  now: { id: string }[] = [],
  gone: string[] = [],
): ReadonlyMap<string, unknown> {
  if (now.length === 0 && gone.length === 0) return old
  const next = new Map(old)
  for (const one of now) next.set(one.id, one)
  for (const id of gone) next.delete(id)
  return next
}

/** How old the board is, if that is worth a word: null while it is fresh. */
export function staleFor(board: Board, now_ms: number): number | null {
  const age = now_ms - board.heard_ms
  return board.loaded && age >= STALE_MS ? age : null
}
