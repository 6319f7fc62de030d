// From a key press to what it means; one table for the handlers, for the list that `?` shows, and for who
// wants other keys or none. Knows no page and does nothing itself.

/** What a key may do, and its key as delivered. Esc, Tab and the arrows are not in it: they always work. */
export const DEFAULTS = {
  find: '/',
  help: '?',
  go: 'g',
  next: 'j',
  previous: 'k',
  listen: 'l',
  whisper: 'w',
  barge: 'b',
  takeover: 'Shift+T',
  mute: 'm',
  talk: 'Space',
  aside: 'w',
  panel: 'p',
  bookmark: 'Shift+B',
  quieter: '[',
  louder: ']',
  answer: 'Alt+A',
  decline: 'Alt+D',
  hold: 'Alt+H',
  silence: 'Alt+M',
  end: 'Alt+E',
  hand: 'Alt+?',
} as const
export type Act = keyof typeof DEFAULTS
/** Empty: off. */
export type Keymap = Partial<Record<Act, string>>
export const ACTS = Object.keys(DEFAULTS) as Act[]

/**
 * Where a key is listened to. Of two at different places both may have the same key: where one that is held and
 * one of a row meet, the held one goes first, while it would do anything.
 */
const PLACES: Record<Act, 'page' | 'row' | 'panel' | 'agent'> = {
  find: 'page',
  help: 'page',
  go: 'page',
  next: 'page',
  previous: 'page',
  listen: 'row',
  whisper: 'row',
  barge: 'row',
  takeover: 'panel',
  mute: 'panel',
  talk: 'panel',
  aside: 'panel',
  panel: 'page',
  bookmark: 'panel',
  quieter: 'panel',
  louder: 'panel',
  answer: 'agent',
  decline: 'agent',
  hold: 'agent',
  silence: 'agent',
  end: 'agent',
  hand: 'agent',
}

export type Meaning =
  | {
      do:
        | 'find'
        | 'help'
        | 'escape'
        | 'mute'
        | 'takeover'
        | 'next'
        | 'previous'
        | 'panel'
        | 'bookmark'
    }
  | { do: 'go'; page: Page }
  | { do: 'mode'; mode: 'listen' | 'whisper' | 'barge' }
  | { do: 'volume'; by: number }
export type Page = 'wallboard' | 'live_calls' | 'call_status' | 'history' | 'admin'
/** As long as the key is down. */
export type HeldAct = 'talk' | 'aside'
export type AgentAct = 'answer' | 'decline' | 'hold' | 'silence' | 'end' | 'hand'

export interface Press {
  key: string
  /** The key's place on the keyboard: with Alt the letter may be another. */
  code?: string
  ctrlKey?: boolean
  metaKey?: boolean
  altKey?: boolean
  shiftKey?: boolean
  /** The focus is where one types. */
  typing?: boolean
}

const PAGES: Record<string, Page> = {
  w: 'wallboard',
  c: 'live_calls',
  s: 'call_status',
  h: 'history',
  a: 'admin',
}
const GO_WITHIN_MS = 1_500
const HELD: readonly HeldAct[] = ['talk', 'aside']
const OF_AGENT: readonly AgentAct[] = ['answer', 'decline', 'hold', 'silence', 'end', 'hand']
const MODIFIERS = ['Shift', 'Alt', 'AltGraph', 'Control', 'Meta', 'CapsLock', 'Dead', 'Process']
/** These move the focus, or close what is open. */
const KEPT = ['Escape', 'Tab', 'Enter', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']

/** `m`, `Shift+T`, `Alt+A`, `Space`; null of what is no key of ours. */
export function keyName(press: Press): string | null {
  if (press.ctrlKey || press.metaKey || MODIFIERS.includes(press.key)) return null
  const letter = /^Key([A-Z])$/.exec(press.code ?? '')?.[1]
  if (press.altKey) return `Alt+${letter ?? press.key}`
  if (press.key === ' ') return 'Space'
  if (!/^[a-z]$/i.test(press.key)) return press.key
  return press.shiftKey ? `Shift+${press.key.toUpperCase()}` : press.key.toLowerCase()
}

/** The key of an act under this map, or null when it is off. */
export const keyOf = (map: Keymap, act: Act): string | null => (map[act] ?? DEFAULTS[act]) || null

/** Which other act has this key already, where both would hear it. */
export function taken(map: Keymap, act: Act, key: string): Act | null {
  const meet = (other: Act) =>
    PLACES[other] === PLACES[act] || PLACES[other] === 'page' || PLACES[act] === 'page'
  return ACTS.find((one) => one !== act && meet(one) && keyOf(map, one) === key) ?? null
}

/** What a press may become the key of, or null. */
export function choosable(press: Press): string | null {
  return KEPT.includes(press.key) ? null : keyName(press)
}

export class Keys {
  #go_ms = Number.NEGATIVE_INFINITY
  readonly #wanted: () => { on: boolean; map: Keymap }

  constructor(wanted: () => { on: boolean; map: Keymap } = () => ({ on: true, map: {} })) {
    this.#wanted = wanted
  }

  read(press: Press, now_ms: number): Meaning | null {
    if (press.ctrlKey || press.metaKey || press.altKey) return null
    if (press.key === 'Escape') return press.typing ? null : { do: 'escape' }
    if (press.typing) return null
    if (press.key === 'ArrowDown') return { do: 'next' }
    if (press.key === 'ArrowUp') return { do: 'previous' }
    const after_g = now_ms - this.#go_ms <= GO_WITHIN_MS
    this.#go_ms = Number.NEGATIVE_INFINITY
    const page = PAGES[press.key]
    if (after_g && page && this.#wanted().on) return { do: 'go', page }
    return this.#meaning(press, now_ms)
  }

  #meaning(press: Press, now_ms: number): Meaning | null {
    const is = (act: Act) => this.#is(press, act)
    if (is('go')) {
      this.#go_ms = now_ms
      return null
    }
    for (const act of [
      'find',
      'help',
      'next',
      'previous',
      'takeover',
      'mute',
      'panel',
      'bookmark',
    ] as const) {
      if (is(act)) return { do: act }
    }
    for (const mode of ['listen', 'whisper', 'barge'] as const) {
      if (is(mode)) return { do: 'mode', mode }
    }
    if (is('quieter')) return { do: 'volume', by: -0.1 }
    return is('louder') ? { do: 'volume', by: 0.1 } : null
  }

  /** What lasts as long as the key is held. */
  held(press: Press): HeldAct | null {
    return press.typing ? null : (HELD.find((act) => this.#is(press, act)) ?? null)
  }

  /** What an agent does to the own call. */
  agent(press: Press): AgentAct | null {
    return press.typing ? null : (OF_AGENT.find((act) => this.#is(press, act)) ?? null)
  }

  #is(press: Press, act: Act): boolean {
    const { on, map } = this.#wanted()
    const key = keyOf(map, act)
    return on && key !== null && keyName(press) === key
  }
}
