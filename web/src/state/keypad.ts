// The keys of a telephone, for who has taken a call over: they go to the customer's side by the browser's own
// leg. Knows which keys there are, what was pressed, and why none may be; no words.
import type { Call, Supervision } from '../api/types'
import type { Panel } from './panel'
import { Store } from './store'

export const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const
export type Key = (typeof KEYS)[number]
/** Longer than the guard, and not so long that a hand would notice. */
const HELD_BACK_MS = 500
/** Of what was pressed as much is shown. */
const SHOWN = 24

export type Off = 'muted' | 'held' | 'not_here' | 'no_path'

export interface Pressed {
  supervision: string | null
  keys: string
  /** The last one could not be sent. */
  failed: boolean
}

const NONE: Pressed = { supervision: null, keys: '', failed: false }

/** What passes keys on; false: there is no way for them now. */
export interface Dials {
  dial(key: Key): boolean
}

export const isKey = (text: string): text is Key => (KEYS as readonly string[]).includes(text)

/** Why a key would reach nobody: what nobody hears of one is no key either. */
export function keypadOff(call: Call, mine: Supervision): Off | null {
  if (mine.leg.kind !== 'phone') return 'not_here'
  if (mine.muted) return 'muted'
  return call.parties.some((party) => party.role === 'customer' && party.held) ? 'held' : null
}

export class Keypad extends Store<Pressed> {
  readonly #dials: Dials
  readonly #panel: Store<Panel>
  #off: Off | 'no_takeover' | null = 'no_takeover'
  /** From when on a key is heard. */
  #open_ms = 0
  #held: Key[] = []
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(dials: Dials, panel: Store<Panel>) {
    super(NONE)
    this.#dials = dials
    this.#panel = panel
    panel.watch(() => this.#look())
  }

  /** What was opened just now lets nothing through that began before its guard had run: keys wait for it. */
  #look(): void {
    const { phase, supervision, call } = this.#panel.get()
    const mine = phase === 'live' && supervision?.mode === 'takeover' ? supervision : null
    const off = mine && call ? keypadOff(call, mine) : 'no_takeover'
    if (off === this.#off) return
    if (off === null) this.#open_ms = Date.now() + HELD_BACK_MS
    else this.#forget()
    this.#off = off
  }

  press(key: Key): void {
    const id = this.#panel.get().supervision?.id
    if (this.#off !== null || !id) return
    const now = this.get()
    // What was pressed on one call is nobody's business on the next.
    const before = now.supervision === id ? now.keys : ''
    const wait = this.#open_ms - Date.now()
    if (wait > 0) {
      this.#held.push(key)
      this.#timer ??= setTimeout(() => this.#let(), wait)
    } else if (!this.#dials.dial(key)) {
      return this.set({ supervision: id, keys: before, failed: true })
    }
    this.set({ supervision: id, keys: (before + key).slice(-SHOWN), failed: false })
  }

  #let(): void {
    const held = this.#held
    this.#drop()
    const failed = held.some((key) => !this.#dials.dial(key))
    if (failed) this.update((now) => ({ ...now, keys: '', failed }))
  }

  /** What waits is not sent any more, nor shown as if it had been. */
  #forget(): void {
    const unsent = this.#held.length
    this.#drop()
    if (unsent > 0) this.update((now) => ({ ...now, keys: now.keys.slice(0, -unsent) }))
  }

  #drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#held = []
  }
}
