// The catalogue of what the pages say, in the language chosen, with the organisation's own terms put in.
// Messages are looked up by id; English is one of the translations.
import { setupI18n } from '@lingui/core'
import type en from './en.json'
import { Store } from '../state/store'
import { type Preset, type Term, type Words, wordsFor } from './terms'

export type MessageId = keyof typeof en
export type Values = Record<string, string | number>
type Compiled = Record<string, never>

/** `en-XB` is not for people: English made longer and written right to left, for tests. */
export const LANGUAGES = ['en', 'de'] as const
export const PSEUDO = 'en-XB'
export type Language = (typeof LANGUAGES)[number] | typeof PSEUDO

const loaders: Record<string, () => Promise<{ messages: unknown }>> = {
  en: () => import('./en.json?lingui'),
  de: () => import('./de.json?lingui'),
}

export class Catalogue {
  readonly #i18n = setupI18n()
  #words: Words = wordsFor('en', 'undertone')
  language: Language = 'en'
  /** Counts up with every change of language or terms. */
  readonly version = new Store(0)

  async use(language: Language, preset: Preset, own: Partial<Words> = {}): Promise<void> {
    const source = language === PSEUDO ? 'en' : language
    const loaded = await (loaders[source] ?? loaders['en'])?.()
    const messages = (loaded?.messages ?? {}) as Compiled
    this.#i18n.load(language, language === PSEUDO ? pseudo(messages) : messages)
    this.#i18n.activate(language)
    this.language = language
    this.#words = wordsFor(source, preset, own)
    this.version.update((n) => n + 1)
  }

  t = (id: MessageId, values: Values = {}): string =>
    this.#i18n._(id, { ...this.#words, ...values })

  /** Whether there is such a message: codes of the server become ids, and may be newer than we. */
  has = (id: string): id is MessageId => Object.hasOwn(this.#i18n.messages, id)

  term = (term: Term): string => this.#words[term]

  /** At the head of a column or a field. */
  head = (term: Term): string => {
    const word = this.#words[term]
    return word.charAt(0).toLocaleUpperCase(this.language === 'de' ? 'de' : 'en') + word.slice(1)
  }

  get rtl(): boolean {
    return this.language === PSEUDO
  }
}

/** Longer words and brackets around each text: what is not in the catalogue shows. */
function pseudo(messages: Compiled): Compiled {
  const strange = (text: string) => text.replace(/[aeiou]/g, (letter) => `${letter}${letter}`)
  const one = (message: unknown): unknown => {
    if (typeof message === 'string') return `⟦${strange(message)}⟧`
    if (!Array.isArray(message)) return message
    return [
      '⟦',
      ...message.map((part: unknown) => (typeof part === 'string' ? strange(part) : part)),
      '⟧',
    ]
  }
  return Object.fromEntries(Object.entries(messages).map(([id, m]) => [id, one(m)])) as Compiled
}
