// What one person has chosen for these pages, kept in the browser. Holds no secret and nothing of a call.
import type { Language } from '../words/catalogue'
import { PRESETS, type Preset } from '../words/terms'
import { ACTS, type Keymap } from './keys'
import { Store } from './store'

export interface Preferences {
  language: Language
  /** Words of one's own choice; null: the organisation's. */
  preset: Preset | null
  density: 'comfortable' | 'compact'
  tv: boolean
  keys: boolean
  /** Keys of one's own; an empty one is off. */
  keymap: Keymap
  /** The microphone is open only while a key is held. */
  pushToTalk: boolean
  /** What the headset check found good; null until it did. */
  headset: Headset | null
  hearOn: 'browser' | 'desk'
  /** SIP address or extension, for who signs in by key; else the server names one's devices. */
  deskPhone: string
  volume: number
  /** Prompts of one's own that are kept beside the ready ones. */
  prompts: readonly string[]
}

/** Device ids of this browser; empty is its own choice. */
export interface Headset {
  microphone: string
}

const KEY = 'undertone.preferences'

const defaults = (): Preferences => ({
  language: typeof navigator !== 'undefined' && navigator.language.startsWith('de') ? 'de' : 'en',
  preset: null,
  density: 'comfortable',
  tv: false,
  keys: true,
  keymap: {},
  pushToTalk: false,
  headset: null,
  hearOn: 'browser',
  deskPhone: '',
  volume: 1,
  prompts: [],
})

/** What was kept, as far as it makes sense today. */
export function parse(text: string | null): Preferences {
  const base = defaults()
  if (!text) return base
  try {
    const kept = JSON.parse(text) as Partial<Preferences>
    return {
      language: kept.language === 'de' || kept.language === 'en' ? kept.language : base.language,
      preset: kept.preset && PRESETS.includes(kept.preset) ? kept.preset : base.preset,
      density: kept.density === 'compact' ? 'compact' : 'comfortable',
      tv: kept.tv === true,
      keys: kept.keys !== false,
      keymap: keymapOf(kept.keymap),
      pushToTalk: kept.pushToTalk === true,
      headset:
        typeof kept.headset?.microphone === 'string'
          ? { microphone: kept.headset.microphone }
          : null,
      hearOn: kept.hearOn === 'desk' ? 'desk' : 'browser',
      deskPhone: typeof kept.deskPhone === 'string' ? kept.deskPhone : '',
      volume: typeof kept.volume === 'number' ? Math.min(1, Math.max(0, kept.volume)) : 1,
      prompts: promptsOf(kept.prompts),
    }
  } catch {
    return base
  }
}

/** So many fit beside the ready ones; the oldest goes first. */
export const PROMPTS_KEPT = 6

/** With one more, or with it moved to the end. */
export const withPrompt = (all: readonly string[], text: string): readonly string[] =>
  [...all.filter((one) => one !== text), text].slice(-PROMPTS_KEPT)

const promptsOf = (kept: unknown): readonly string[] =>
  Array.isArray(kept)
    ? kept.filter((one): one is string => typeof one === 'string').slice(-PROMPTS_KEPT)
    : []

const keymapOf = (kept: unknown): Keymap =>
  Object.fromEntries(
    Object.entries(kept ?? {}).filter(
      ([act, key]) => (ACTS as string[]).includes(act) && typeof key === 'string',
    ),
  )

/** What is a person's and not the machine's: the next who signs in here does not have it. */
const OWN = ['preset', 'keys', 'keymap', 'pushToTalk', 'hearOn', 'deskPhone', 'prompts'] as const
type Own = Pick<Preferences, (typeof OWN)[number]>
const ownOf = (all: Partial<Preferences>): Partial<Own> =>
  Object.fromEntries(OWN.filter((name) => name in all).map((name) => [name, all[name]]))

export class PreferenceStore extends Store<Preferences> {
  readonly #kept: Pick<Storage, 'getItem' | 'setItem'>
  #person: string | null = null
  /** Chosen before it was known who chooses. */
  #early: Partial<Own> = {}

  constructor(kept: Pick<Storage, 'getItem' | 'setItem'>) {
    super({ ...parse(kept.getItem(KEY)), ...ownOf(defaults()) })
    this.#kept = kept
  }

  /** Who is signed in: what is theirs is what they chose here before. Null: nobody. */
  of(person: string | null): void {
    if (person === this.#person) return
    this.#person = person
    const early = person === null ? {} : this.#early
    this.#early = {}
    this.again()
    if (Object.keys(early).length > 0) this.change(early)
  }

  change(change: Partial<Preferences>): void {
    const own = ownOf(change)
    if (this.#person === null) Object.assign(this.#early, own)
    // Another tab may have chosen something else meanwhile: what was not changed here is left as it is.
    this.#keep(KEY, change, ownOf(change))
    if (this.#person !== null) this.#keep(`${KEY}.${this.#person}`, own)
    this.update((old) => ({ ...old, ...change }))
  }

  /** What is kept has been changed by another tab, or is another person's. */
  again(): void {
    const own = this.#person === null ? null : this.#kept.getItem(`${KEY}.${this.#person}`)
    const base = this.#person === null ? { ...defaults(), ...this.#early } : parse(own)
    this.set({ ...parse(this.#kept.getItem(KEY)), ...ownOf(base) })
  }

  #keep(key: string, change: Partial<Preferences>, but: Partial<Preferences> = {}): void {
    const now = Object.entries(change).filter(([name]) => !(name in but))
    if (now.length === 0) return
    const kept = rawOf(this.#kept.getItem(key))
    this.#kept.setItem(key, JSON.stringify({ ...kept, ...Object.fromEntries(now) }))
  }
}

function rawOf(text: string | null): Record<string, unknown> {
  try {
    return (JSON.parse(text ?? '{}') ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}
