// The ten-second check of a headset: a microphone is chosen, one speaks and sees the level, hears a tone, and
// says whether one did. What it found good is for the preferences; here is only how it goes.
//
//   idle ──begin──▶ asking ──granted──▶ speaking ──a voice──▶ heard
//     ▲                └─refused─▶ denied, none, busy, insecure   └──ten seconds of nothing──▶ silent
//     └───────────────────────────── stop, begin again ─────────────────────────┘
import { Store } from './store'

export const CHECK_MS = 10_000
const LOOK_MS = 100
/** As loud as somebody who speaks into it, of 1. */
const VOICE = 0.02
/** So long in all is a voice, and no knock. */
const VOICE_MS = 500

export interface Microphone {
  id: string
  name: string
}

/** A microphone that is open, and what may be known of it. */
export interface Open {
  /** 0 to 1: the loudest of the last moment. */
  level(): number
  close(): void
}

/** What the check needs of the browser. */
export interface Ears {
  open(id: string): Promise<Open>
  microphones(): Promise<Microphone[]>
  tone(): Promise<void>
}

/** What each of the browser's refusals means to who wants to speak; whatever else it says is a no. */
const FAILED = {
  denied: ['NotAllowedError'],
  none: ['NotFoundError'],
  busy: ['NotReadableError', 'AbortError'],
  insecure: ['SecurityError'],
} as const
/** The one that was chosen is not there: unplugged, or of another browser. */
const LOST = 'OverconstrainedError'

export interface Check {
  phase: 'idle' | 'asking' | 'speaking' | 'heard' | 'silent' | keyof typeof FAILED
  microphones: Microphone[]
  /** Empty: the browser's choice. */
  chosen: string
  /** What was chosen is gone: the browser's choice stands in. */
  lost: boolean
  level: number
  left_ms: number
  tone: 'unheard' | 'sounding' | 'asked' | 'heard' | 'not_heard'
}

const IDLE: Check = {
  phase: 'idle',
  microphones: [],
  chosen: '',
  lost: false,
  level: 0,
  left_ms: CHECK_MS,
  tone: 'unheard',
}

export class HeadsetCheck extends Store<Check> {
  readonly #ears: Ears
  #open: Open | null = null
  #timer: ReturnType<typeof setInterval> | null = null
  #voice_ms = 0
  #turn = 0

  constructor(ears: Ears, chosen = '') {
    super({ ...IDLE, chosen })
    this.#ears = ears
  }

  get good(): boolean {
    return this.get().phase === 'heard' && this.get().tone === 'heard'
  }

  async begin(chosen = this.get().chosen): Promise<void> {
    this.#close()
    const turn = ++this.#turn
    this.update((now) => ({
      ...now,
      phase: 'asking',
      chosen,
      lost: false,
      level: 0,
      left_ms: CHECK_MS,
    }))
    try {
      const open = await this.#opened(turn, chosen)
      if (turn !== this.#turn) return open.close()
      this.#open = open
      this.update((now) => ({ ...now, phase: 'speaking' }))
      this.#voice_ms = 0
      this.#timer = setInterval(() => this.#look(), LOOK_MS)
      // Their names are told only to who may hear them.
      const microphones = await this.#ears.microphones()
      if (turn === this.#turn) this.update((now) => ({ ...now, microphones }))
    } catch (error) {
      if (turn !== this.#turn) return
      this.update((now) => ({ ...now, phase: failed(error) }))
    }
  }

  /** Whoever kept a microphone that is gone is not stuck with it. */
  async #opened(turn: number, chosen: string): Promise<Open> {
    try {
      return await this.#ears.open(chosen)
    } catch (error) {
      if (chosen === '' || named(error) !== LOST) throw error
      if (turn === this.#turn) this.update((now) => ({ ...now, chosen: '', lost: true }))
      return this.#ears.open('')
    }
  }

  #look(): void {
    const level = this.#open?.level() ?? 0
    if (level > VOICE) this.#voice_ms += LOOK_MS
    const left_ms = Math.max(0, this.get().left_ms - LOOK_MS)
    const heard = this.get().phase === 'heard' || this.#voice_ms >= VOICE_MS
    const phase = heard ? 'heard' : left_ms === 0 ? 'silent' : 'speaking'
    this.update((now) => ({ ...now, level, left_ms, phase }))
    if (left_ms === 0) this.#close()
  }

  async tone(): Promise<void> {
    this.update((now) => ({ ...now, tone: 'sounding' }))
    await this.#ears.tone().catch(() => {}) // Not heard is what one then says.
    this.update((now) => ({ ...now, tone: 'asked' }))
  }

  answer(heard: boolean): void {
    this.update((now) => ({ ...now, tone: heard ? 'heard' : 'not_heard' }))
  }

  /** The microphone is let go, whatever was going on. */
  stop(): void {
    this.#turn += 1
    this.#close()
  }

  #close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#open?.close()
    this.#open = null
    this.update((now) => ({ ...now, level: 0 }))
  }
}

const named = (error: unknown) =>
  error instanceof Error || error instanceof DOMException ? error.name : ''

function failed(error: unknown): keyof typeof FAILED {
  const name = named(error)
  const all = Object.keys(FAILED) as (keyof typeof FAILED)[]
  return all.find((one) => (FAILED[one] as readonly string[]).includes(name)) ?? 'denied'
}
