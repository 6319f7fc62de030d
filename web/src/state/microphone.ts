// Whether one's own microphone may be heard at this instant. The one rule, and the only place that opens it: what
// it goes by is what is true (the supervision in force, one's own call), never what was pressed. Knows no words.
import { STALE_MS, staleFor, type Board } from './board'
import type { Panel } from './panel'
import type { PhoneState } from './phone'
import type { Preferences } from './preferences'
import { Store } from './store'

/** Nobody needs it for so long: then the browser shows none in use. */
export const IDLE_MS = 20_000

/** One's supervision is such that somebody is to hear one here, were one not muted. */
function speaks({ phase, hearOn, supervision }: Panel): boolean {
  if (phase !== 'live' || hearOn.kind !== 'phone' || !supervision) return false
  return (
    supervision.state !== 'ended' && supervision.state !== 'failed' && supervision.mode !== 'listen'
  )
}

/** While a change is asked for nothing is sent: what is said then might come to others than it was meant for. */
export const heardBySupervision = (panel: Panel): boolean =>
  speaks(panel) && panel.wanted === null && !panel.silent && panel.supervision?.muted === false

/** What of this browser is missing for anybody to hear one, whatever the mode. */
export function lacking({ phase, microphone }: PhoneState): 'leg' | 'microphone' | null {
  if (phase !== 'up') return 'leg'
  return microphone === 'on' || microphone === 'paused' ? null : 'microphone'
}

/** One's own call, taken in this browser, while one is on it. */
export function ownCallHere(board: Board, phone: PhoneState, me: string | null): string | null {
  if (!me || phone.callId === null || (phone.phase !== 'up' && phone.phase !== 'lost')) return null
  const call = board.calls.get(phone.callId)?.call
  const own = call?.parties.find((one) => one.person_id === me && one.role !== 'supervisor')
  return call && call.state !== 'ended' && own?.connected ? call.id : null
}

interface Sources {
  panel: Store<Panel> & { needs(code: string, reason?: string): void }
  phone: Store<PhoneState> & { prepare(): Promise<void>; open(wished: boolean): void; rest(): void }
  board: Store<Board>
  preferences: Store<Preferences>
  me(): string | null
}

export interface Hand {
  /** The key of push-to-talk is down. */
  held: boolean
  /** The own call in which one has muted oneself. */
  muted: string | null
}

export class Microphone extends Store<Hand> {
  readonly #from: Sources
  #idle: ReturnType<typeof setTimeout> | null = null
  /** Looks again when the board would be old. */
  #old: ReturnType<typeof setTimeout> | null = null
  /** For which supervision and mode it was asked for already, without anybody's click. */
  #asked = ''

  constructor(from: Sources) {
    super({ held: false, muted: null })
    this.#from = from
    for (const one of [from.panel, from.phone, from.board, from.preferences, this]) {
      one.watch(() => this.#settle())
    }
  }

  /** A key that is up lets nothing through. False if there is nothing to hold: the key then means nothing. */
  hold(held: boolean): boolean {
    if (held && !this.holds) return false
    if (held !== this.get().held) this.update((now) => ({ ...now, held }))
    return true
  }

  /** Whether the key of push-to-talk would do anything. */
  get holds(): boolean {
    return this.#from.preferences.get().pushToTalk && speaks(this.#from.panel.get())
  }

  /** The own call that is taken here, if any. */
  get ownCall(): string | null {
    const { board, phone, me } = this.#from
    return ownCallHere(board.get(), phone.get(), me())
  }

  /** In one's own call: whoever supervises is muted at the server, by the panel. */
  mute(muted: boolean): void {
    const call = this.ownCall
    if (call) this.update((now) => ({ ...now, muted: muted ? call : null }))
    // It may be one that was unplugged, or never came.
    if (call && !muted) void this.#from.phone.prepare().catch(() => {})
  }

  /** What is true now. */
  #mayBeHeard(): boolean {
    const { board, panel, preferences } = this.#from
    const { held, muted } = this.get()
    const call = this.ownCall
    if (call) return call !== muted
    // On old data nobody knows who hears one: the server has come down to listen meanwhile, or somebody else came.
    if (staleFor(board.get(), Date.now()) !== null) return false
    return heardBySupervision(panel.get()) && (held || !preferences.get().pushToTalk)
  }

  #settle(): void {
    const { phone, panel } = this.#from
    phone.open(this.#mayBeHeard())
    const spoken = speaks(panel.get())
    if (spoken) this.#askOnce()
    else this.#asked = ''
    const { microphone } = phone.get()
    const there = microphone === 'on' || microphone === 'paused'
    const { phase, wanted } = panel.get()
    const asking = wanted !== null && phase !== 'ended'
    this.#rest(there && !spoken && !asking && this.ownCall === null)
    this.#lookWhenOld(spoken)
  }

  /** That data grows old is told by nobody. */
  #lookWhenOld(spoken: boolean): void {
    if (!spoken && this.#old !== null) {
      clearTimeout(this.#old)
      this.#old = null
    }
    const { loaded, heard_ms } = this.#from.board.get()
    const left_ms = heard_ms + STALE_MS - Date.now()
    if (!spoken || !loaded || left_ms <= 0 || this.#old !== null) return
    this.#old = setTimeout(() => {
      this.#old = null
      this.#settle()
    }, left_ms)
  }

  /** Somebody else's doing may have raised one who has no microphone yet. */
  #askOnce(): void {
    const { panel, phone } = this.#from
    const { supervision, wanted } = panel.get()
    const key = `${supervision?.id} ${supervision?.mode}`
    if (wanted !== null || phone.get().microphone !== 'off' || phone.get().phase !== 'up') return
    if (this.#asked === key) return
    this.#asked = key
    void phone.prepare().catch(() => panel.needs('microphone_denied'))
  }

  #rest(idle: boolean): void {
    if (idle === (this.#idle !== null)) return
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#idle = idle ? setTimeout(() => this.#from.phone.rest(), IDLE_MS) : null
  }
}
