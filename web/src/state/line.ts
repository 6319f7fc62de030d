// Whether what one says and does on a call gets through just now: the page's connection to the server, the
// browser's leg, and what the server says of the sound. Facts for sentences; knows no words and no React.
import type { Call, Mode, Supervision } from '../api/types'
import type { Connection } from './live'
import type { HearOn, Panel } from './panel'
import type { PhoneState } from './phone'
import { Store } from './store'

/** Worst first, as they are said. */
export type Trouble =
  /** The server hears nothing of this page. */
  | { code: 'page'; ms: number; mode: Mode; on: HearOn['kind'] }
  /** The leg is being restored. */
  | { code: 'leg'; mode: Mode }
  /** Nothing comes from this browser, by what the server measures. */
  | { code: 'sound'; mode: Mode }
  /** The server came down from a mode by itself. */
  | { code: 'fell'; mode: Mode; because: string }

export interface Line {
  troubles: readonly Trouble[]
  /** What has just come right. */
  mended: Trouble['code'] | null
}

export const WHOLE: Line = { troubles: [], mended: null }
/** So long it is said that something is right again. */
export const MENDED_MS = 6_000

const ownParty = (call: Call | null, mine: Supervision) =>
  call?.parties.find((party) => party.id === mine.party_id) ?? null

/** What is wrong at this instant. */
export function troubles(
  panel: Panel,
  phone: PhoneState,
  connection: Connection,
  now_ms: number,
): Trouble[] {
  const { phase, supervision: mine, call } = panel
  if (phase !== 'live' || !mine) return []
  const own = ownParty(call, mine)
  const out: Trouble[] = []
  const { lost_ms } = connection
  if (lost_ms !== null) {
    out.push({ code: 'page', ms: now_ms - lost_ms, mode: mine.mode, on: panel.hearOn.kind })
  }
  if (panel.hearOn.kind === 'phone' && phone.phase === 'lost') {
    out.push({ code: 'leg', mode: mine.mode })
  } else if (isUnheard(panel.hearOn, mine, own?.quiet ?? false, lost_ms)) {
    out.push({ code: 'sound', mode: mine.mode })
  }
  if (mine.fell_because && panel.fell_seen !== mine.version)
    out.push({ code: 'fell', mode: mine.mode, because: mine.fell_because })
  return out
}

/** Of one who only listens, or is muted, nobody expects sound; and a page that is cut off does not know. */
function isUnheard(on: HearOn, mine: Supervision, quiet: boolean, lost_ms: number | null): boolean {
  return on.kind === 'phone' && lost_ms === null && mine.mode !== 'listen' && !mine.muted && quiet
}

interface Sources {
  panel: Store<Panel>
  phone: Store<PhoneState>
  connection: Store<Connection>
}

/** The same over time: what was wrong and is no more is said for a while. */
export class LineWatch extends Store<Line> {
  readonly #from: Sources
  #tick: ReturnType<typeof setInterval> | null = null
  #mended_ms = 0

  constructor(from: Sources) {
    super(WHOLE)
    this.#from = from
    for (const one of [from.panel, from.phone, from.connection]) one.watch(() => this.#look())
  }

  #look(): void {
    const { panel, phone, connection } = this.#from
    const now = Date.now()
    const wrong = troubles(panel.get(), phone.get(), connection.get(), now)
    const before = this.get()
    const live = panel.get().phase === 'live'
    // That one fell does not come right: one is told until one says that one has read it.
    const gone = before.troubles.find(
      ({ code }) => code !== 'fell' && !wrong.some((one) => one.code === code),
    )
    if (gone && live) this.#mended_ms = now
    const mended = !live
      ? null
      : gone
        ? gone.code
        : now - this.#mended_ms < MENDED_MS
          ? before.mended
          : null
    const line = { troubles: wrong, mended }
    if (JSON.stringify(line) !== JSON.stringify(before)) this.set(line)
    this.#run(wrong.length > 0 || mended !== null)
  }

  /** Seconds are counted only while there is something to say. */
  #run(on: boolean): void {
    if (on && this.#tick === null) this.#tick = setInterval(() => this.#look(), 1_000)
    if (!on && this.#tick !== null) {
      clearInterval(this.#tick)
      this.#tick = null
    }
  }
}
