// Why a call wants a supervisor, from what is known without understanding speech. Order and reasons are
// those of ui.md: help > error > hold past limit > talk past limit > … > the rest by time in state.
// Knows no words: views/words say them.
import type { Call, Moment } from '../api/types'
import type { Limits } from '../api/types'
import type { Seen } from './board'
import { UNKNOWN, type Sound } from './talk'

export const LIMITS: Limits = {
  whisper_long_ms: 8_000,
  whisper_share: 0.1,
  whisper_per_min: 1.5,
  hold_long_ms: 120_000,
  talk_long_ms: 600_000,
  wrap_up_long_ms: 60_000,
  silence_ms: 15_000,
}

/** Two people talk over each other now and then; so often within a minute is worth a word. */
const TALK_OVERS = 3

export type Code =
  | 'help_requested'
  | 'owner_lost'
  | 'one_sided'
  | 'silent'
  | 'talk_over'
  | 'hold'
  | 'transfer_failed'
  | 'long_talk'
  | 'transferred'
  | 'ringing'
  | 'none'

export interface Why {
  code: Code
  /** Lower is more urgent. */
  rank: number
  /** Server time since when, for the number in words. */
  since_ms: number
  count: number
  detail: string | null
  /** Worth raising above the others (three at most at once). */
  raised: boolean
}

const RANK: Record<Code, number> = {
  help_requested: 0,
  owner_lost: 1,
  one_sided: 2,
  silent: 3,
  talk_over: 4,
  hold: 5,
  transfer_failed: 6,
  long_talk: 7,
  transferred: 8,
  ringing: 9,
  none: 10,
}

/** A call's moments in their order: the same call is looked at each second. */
const orders = new WeakMap<Call, Moment[]>()
function ordered(call: Call): Moment[] {
  const known = orders.get(call)
  if (known) return known
  const timed = call.timeline.map((moment) => ({ moment, at: Date.parse(moment.at) }))
  const sorted = timed.sort((a, b) => a.at - b.at).map(({ moment }) => moment)
  orders.set(call, sorted)
  return sorted
}

/** The last moment of these kinds, if none of `ends` came after it. */
function standing(moments: Moment[], starts: string[], ends: string[]): Moment | null {
  for (const moment of [...moments].reverse()) {
    if (ends.includes(moment.what)) return null
    if (starts.includes(moment.what)) return moment
  }
  return null
}

function why(code: Code, since: string | number, count = 0, detail: string | null = null): Why {
  const since_ms = typeof since === 'number' ? since : Date.parse(since)
  return { code, rank: RANK[code], since_ms, count, detail, raised: RANK[code] <= RANK.long_talk }
}

/** Every reason there is, the most urgent first. */
export function reasons(
  { call }: Seen,
  now_ms: number,
  limits: Limits = LIMITS,
  sound: Sound = UNKNOWN,
): Why[] {
  const found: Why[] = []
  for (const told of call.attention ?? []) {
    found.push(why(told.code as Code, told.since, told.count ?? 0, told.detail ?? null))
  }
  if (call.state === 'talking') found.push(...heard(call, now_ms, limits, sound))
  const moments = ordered(call)
  const lost = standing(
    moments,
    ['owner_lost'],
    ['takeover_lost', 'joined', 'mode_changed', 'ended'],
  )
  if (lost) found.push(why('owner_lost', lost.at))
  if (call.state === 'held') found.push(hold(call, moments, now_ms, limits))
  const failed = standing(moments, ['transfer_failed'], ['transferred', 'ended'])
  if (failed && now_ms - Date.parse(failed.at) < 60_000) {
    found.push(why('transfer_failed', failed.at, 0, failed.detail || null))
  }
  if (call.state === 'talking' && call.timing.talk_ms >= limits.talk_long_ms) {
    found.push(why('long_talk', call.answered_at ?? call.started_at))
  }
  const transfers = moments.filter((m) => m.what === 'transferred')
  const last = transfers.at(-1)
  if (last && transfers.length > 1) found.push(why('transferred', last.at, transfers.length))
  if (call.state === 'ringing' || call.state === 'queued')
    found.push(why('ringing', call.started_at))
  return found.sort((a, b) => a.rank - b.rank)
}

/** What the meters tell, where the server has not said it already. */
function heard(call: Call, now_ms: number, limits: Limits, sound: Sound): Why[] {
  const told = (code: Code) => call.attention?.some((one) => one.code === code) ?? false
  const found: Why[] = []
  const { silent_since_ms, talk_overs } = sound
  if (
    silent_since_ms !== null &&
    now_ms - silent_since_ms >= limits.silence_ms &&
    !told('silent')
  ) {
    found.push(why('silent', silent_since_ms))
  }
  if (talk_overs >= TALK_OVERS && !told('talk_over'))
    found.push(why('talk_over', now_ms, talk_overs))
  return found
}

function hold(call: Call, moments: Moment[], now_ms: number, limits: Limits): Why {
  const holds = moments.filter((m) => m.what === 'held' || m.what === 'agent_held')
  const since = holds.at(-1)?.at ?? call.answered_at ?? call.started_at
  const found = why('hold', since, Math.max(1, holds.length))
  const long = now_ms - found.since_ms >= limits.hold_long_ms || found.count >= 3
  return { ...found, rank: long ? found.rank : RANK.transferred, raised: long }
}

/** The one that the row says. */
export function attention(
  seen: Seen,
  now_ms: number,
  limits: Limits = LIMITS,
  sound: Sound = UNKNOWN,
): Why {
  const since = seen.call.answered_at ?? seen.call.started_at
  return reasons(seen, now_ms, limits, sound)[0] ?? why('none', since)
}
