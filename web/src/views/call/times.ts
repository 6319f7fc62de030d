// Times of day as the call's page writes them: in the person's zone; the ISO form stands beside, in `dateTime`.
import type { Catalogue } from '../../words/catalogue'

const locale = (words: Catalogue) => (words.language === 'de' ? 'de' : 'en')

export const dayAndTime = (words: Catalogue, at: string) =>
  new Date(at).toLocaleString(locale(words), { dateStyle: 'medium', timeStyle: 'medium' })

export const timeOfDay = (words: Catalogue, at: string | number) =>
  new Date(at).toLocaleTimeString(locale(words), { timeStyle: 'medium' })

/** "Ana Ruiz and Mia Wong", as the language joins names. */
export const listed = (words: Catalogue, names: string[]) =>
  new Intl.ListFormat(locale(words), { type: 'conjunction' }).format(names)
