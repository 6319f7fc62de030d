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

export class PreferenceStore extends Store<Preferences> {
  constructor(kept: Pick<Storage, 'getItem' | 'setItem'>) {
    super(parse(kept.getItem(KEY)))
    this.watch(() => kept.setItem(KEY, JSON.stringify(this.get())))
  }

  change(change: Partial<Preferences>): void {
    this.update((old) => ({ ...old, ...change }))
  }
}
