// Whether one's own microphone works while one is to be heard: how loud it is, and in a word what that means.
// The browser's own measure, before anything is sent; what others hear of it is the lamps' to say.
import type { Panel } from './panel'
import type { PhoneState } from './phone'
import { Store } from './store'

/** As loud as somebody who speaks into it, of 1. */
const VOICE = 0.02
/** A voice has pauses of so long. */
const PAUSE_MS = 2_000
/** Digital silence for so long is no pause: it is muted at the headset, or another one is meant. */
const DEAD_MS = 4_000
const LOOK_MS = 100
/** Where less motion is asked for, the bar moves so often. */
const STILL_MS = 1_000

export type MicWord =
  /** Nobody is to hear one, or the sound is on another telephone. */
  | 'none'
  /** The key is not held, or a mode is being changed. */
  | 'shut'
  /** Muted at the server. */
  | 'muted'
  /** It is open, and one is not speaking. */
  | 'open'
  | 'speaking'
  /** It is open and gives nothing at all. */
  | 'dead'

export interface Mic {
  word: MicWord
  /** 0 to 1. */
  level: number
}

export const NO_MIC: Mic = { word: 'none', level: 0 }

interface Sources {
  panel: Store<Panel>
  phone: Store<PhoneState>
  /** The loudest of the last moment; null without a microphone. */
  level(): number | null
  /** Whether less motion is asked for. */
  still(): boolean
}

export class MicMeter extends Store<Mic> {
  readonly #from: Sources
  #timer: ReturnType<typeof setInterval> | null = null
  #voice_ms = Number.NEGATIVE_INFINITY
  #sound_ms = 0

  constructor(from: Sources) {
    super(NO_MIC)
    this.#from = from
    from.panel.watch(() => this.#follow())
    from.phone.watch(() => this.#follow())
  }

  get #wanted(): boolean {
    const { phase, supervision, hearOn } = this.#from.panel.get()
    const { phase: leg, microphone } = this.#from.phone.get()
    const live = phase === 'live' && hearOn.kind === 'phone' && leg === 'up'
    const there = microphone === 'on' || microphone === 'paused'
    return live && there && supervision !== null && supervision.mode !== 'listen'
  }

  /** It is looked at only while one is to be heard. */
  #follow(): void {
    if (this.#wanted === (this.#timer !== null)) return
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    if (!this.#wanted) return this.set(NO_MIC)
    this.#sound_ms = Date.now()
    this.#voice_ms = Number.NEGATIVE_INFINITY
    this.#look()
    this.#timer = setInterval(() => this.#look(), this.#from.still() ? STILL_MS : LOOK_MS)
  }

  #look(): void {
    const { panel, phone } = this.#from
    const now = Date.now()
    const shut = phone.get().microphone !== 'on'
    const level = shut ? 0 : (this.#from.level() ?? 0)
    // What is shut on purpose gives nothing, and is not dead.
    if (level > 0 || shut) this.#sound_ms = now
    if (level > VOICE) this.#voice_ms = now
    this.set({ level, word: this.#word(shut, panel.get().supervision?.muted ?? false, now) })
  }

  #word(shut: boolean, muted: boolean, now: number): MicWord {
    if (muted) return 'muted'
    if (shut) return 'shut'
    if (now - this.#sound_ms >= DEAD_MS) return 'dead'
    return now - this.#voice_ms < PAUSE_MS ? 'speaking' : 'open'
  }
}
