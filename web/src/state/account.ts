// What became of a call, for the eye and the keyboard: who heard whom from when to when, and a band for each
// party and each supervisor. Made of what the server wrote; decides nothing and knows no words.
import type { Call, Heard, Mode } from '../api/types'
import { shownName } from './people'

export interface Interval {
  from_ms: number
  to_ms: number
  ears: { name: string; hears: string[] }[]
}

/** Of a party: talks (hears and is heard), only hears, is only heard, neither. Of a supervisor: the mode. */
export type Kind = 'talks' | 'hears' | 'heard' | 'nobody' | Mode

export interface Piece {
  from_ms: number
  to_ms: number
  kind: Kind
}

export interface Band {
  id: string
  name: string
  role: string
  pieces: Piece[]
}

export interface Notice {
  at_ms: number
  what: string
  who: string
}

/** Moments of the timeline in which somebody was told something by a sound. */
const NOTICES = new Set(['agent_told', 'takeover_lost'])

export const beginOf = (call: Call): number => Date.parse(call.started_at)
export const endOf = (call: Call, now_ms: number): number =>
  Math.max(beginOf(call) + 1, call.ended_at ? Date.parse(call.ended_at) : now_ms)

/** Who heard whom, in words' order; a time in which nobody heard anybody is in it, too. */
export function intervals(call: Call, heard: Heard[], now_ms: number): Interval[] {
  const end_ms = endOf(call, now_ms)
  const name = namesOf(call)
  return heard
    .map((one, n) => {
      const next = heard[n + 1]
      return {
        from_ms: Date.parse(one.at),
        to_ms: next ? Date.parse(next.at) : end_ms,
        ears: one.ears.map((ear) => ({
          name: name(ear.party_id ?? ear.supervision_id ?? ''),
          hears: ear.hears.map(name),
        })),
      }
    })
    .filter((one) => one.to_ms > one.from_ms)
}

function namesOf(call: Call): (id: string) => string {
  const names = new Map(call.parties.map((party) => [party.id, shownName(party)]))
  // Who has left is no party any more; their supervision still names them.
  for (const one of call.supervisions) {
    names.set(one.id, one.supervisor.name)
    if (one.party_id) names.set(one.party_id, one.supervisor.name)
  }
  return (id) => names.get(id) ?? id
}

/** A band for each party, then one for each person who supervised. */
export function bands(call: Call, heard: Heard[], now_ms: number): Band[] {
  const end_ms = endOf(call, now_ms)
  const parties = call.parties
    .filter((party) => party.role !== 'supervisor')
    .map(({ id, role, ...party }) => ({
      id,
      role,
      name: shownName({ id, role, ...party }),
      pieces: partyPieces(id, heard, end_ms),
    }))
  return [...parties, ...supervisorBands(call, end_ms)].filter((band) => band.pieces.length > 0)
}

function partyPieces(id: string, heard: Heard[], end_ms: number): Piece[] {
  const pieces = heard.map((one, n) => {
    const hears = one.ears.some((ear) => ear.party_id === id)
    const isHeard = one.ears.some((ear) => ear.hears.includes(id))
    const next = heard[n + 1]
    return {
      from_ms: Date.parse(one.at),
      to_ms: next ? Date.parse(next.at) : end_ms,
      kind: kindOf(hears, isHeard),
    }
  })
  // Before it came and after it had gone it is not on the call at all.
  const there = (piece: Piece) => piece.kind !== 'nobody'
  const first = pieces.findIndex(there)
  const last = pieces.findLastIndex(there)
  return first < 0 ? [] : joined(pieces.slice(first, last + 1))
}

const kindOf = (hears: boolean, isHeard: boolean): Kind =>
  hears && isHeard ? 'talks' : hears ? 'hears' : isHeard ? 'heard' : 'nobody'

function supervisorBands(call: Call, end_ms: number): Band[] {
  const bands = new Map<string, Band>()
  for (const one of call.supervisions) {
    const band = bands.get(one.supervisor.id) ?? {
      id: one.supervisor.id,
      name: one.supervisor.name,
      role: 'supervisor',
      pieces: [],
    }
    for (const span of one.spans) {
      const to_ms = span.to ? Date.parse(span.to) : end_ms
      band.pieces.push({ from_ms: Date.parse(span.from), to_ms, kind: span.mode })
    }
    bands.set(one.supervisor.id, band)
  }
  return [...bands.values()].map((band) => ({ ...band, pieces: joined(band.pieces) }))
}

/** What follows upon its like is one with it; what lasts no time is nothing. */
function joined(pieces: Piece[]): Piece[] {
  const all: Piece[] = []
  for (const piece of pieces) {
    const last = all.at(-1)
    if (piece.to_ms <= piece.from_ms) continue
    if (last && last.kind === piece.kind && last.to_ms === piece.from_ms) last.to_ms = piece.to_ms
    else all.push({ ...piece })
  }
  return all
}

export const notices = (call: Call): Notice[] =>
  call.timeline
    .filter((moment) => NOTICES.has(moment.what))
    .map((moment) => ({ at_ms: Date.parse(moment.at), what: moment.what, who: moment.who }))

/** Where an instant stands between the call's begin and end, as a share from 0 to 1. */
export function place(call: Call, at_ms: number, now_ms: number): number {
  const begin = beginOf(call)
  const share = (at_ms - begin) / (endOf(call, now_ms) - begin)
  return Math.min(1, Math.max(0, share))
}
