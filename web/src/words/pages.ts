// Pages by every word that anybody has for them: the presets' in each language, the field's, and the addresses that
// people have kept from elsewhere. Data only; knows no router and no board.
import type { MessageId } from './catalogue'
import { PRESETS, SYNONYMS, wordsFor, type Term } from './terms'

export interface Place {
  to: string
  /** What it is called: one of the organisation's terms, or a message. */
  title: { term: Term } | { message: MessageId }
  /** What is done or seen there has words of its own. */
  holds: readonly Term[]
  also: readonly string[]
  /** Without this right it is not there. */
  right?: string
}

export const PLACES: readonly Place[] = [
  { to: '/', title: { term: 'wallboard' }, holds: ['wallboard'], also: [], right: 'see_wallboard' },
  {
    to: '/live-calls',
    title: { term: 'live_calls' },
    holds: ['live_calls', 'listen', 'whisper', 'barge', 'takeover', 'hand_back', 'panel', 'alert'],
    also: [],
    right: 'see_wallboard',
  },
  {
    to: '/call-status',
    title: { term: 'call_status' },
    holds: ['call_status', 'agent'],
    also: [],
    right: 'see_wallboard',
  },
  {
    to: '/history',
    title: { message: 'nav.history' },
    holds: [],
    also: [
      ...['history', 'call history', 'past calls', 'ended calls', 'recent calls', 'call log'],
      ...['interaction history', 'contact history', 'engagement history', 'conversations'],
      ...['call records', 'cdr', 'archive'],
      ...['verlauf', 'historie', 'anrufliste', 'vergangene gespräche', 'beendete gespräche'],
    ],
    right: 'see_history',
  },
  {
    to: '/console',
    title: { message: 'nav.console' },
    holds: [],
    also: [
      ...['console', 'my calls', 'agent console', 'agent desktop', 'agent panel', 'softphone'],
      ...['my phone', 'rep console', 'workspace', 'call handling'],
      ...['meine gespräche', 'meine anrufe', 'arbeitsplatz', 'konsole', 'agentenkonsole'],
    ],
  },
  {
    to: '/admin/health',
    title: { message: 'admin.health' },
    holds: [],
    also: ['admin', 'health', 'status', 'settings', 'zustand', 'einstellungen', 'verwaltung'],
  },
  {
    to: '/admin/audit',
    title: { message: 'admin.audit' },
    holds: [],
    also: ['audit', 'log', 'who did what', 'trail', 'protokoll', 'nachweis'],
    right: 'see_audit',
  },
  {
    to: '/admin/words',
    title: { message: 'admin.words' },
    holds: [],
    also: ['words', 'labels', 'preset', 'terms', 'wörter', 'begriffe', 'bezeichnungen'],
  },
]

const LANGUAGES = ['en', 'de'] as const

/** Every word for a thing, in every preset, each language, and in the field. */
export function namesOf(term: Term): string[] {
  const presets = LANGUAGES.flatMap((language) =>
    PRESETS.map((preset) => wordsFor(language, preset)[term]),
  )
  return [...new Set([...presets, ...(SYNONYMS[term] ?? [])].map((name) => name.toLowerCase()))]
}

/** Every word by which a page is found; looked through with each letter that is typed. */
const known = new Map<Place, readonly string[]>()
export function wordsOf(place: Place): readonly string[] {
  const words = known.get(place) ?? [
    ...place.holds.flatMap(namesOf),
    ...place.also.map((name) => name.toLowerCase()),
  ]
  known.set(place, words)
  return words
}

/** `Live-Übersicht` as people write it into an address. */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[äöüß]/g, (letter) => ({ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' })[letter] ?? letter)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

/** Foreign addresses, and the pages of ours to which they lead; of two the first page has it. */
export function redirects(): Record<string, string> {
  const own = new Set([...PLACES.map(({ to }) => to), '/admin', '/password', '/demo'])
  const found: Record<string, string> = {}
  for (const place of PLACES) {
    for (const name of wordsOf(place)) {
      for (const path of [`/${slug(name)}`, `/${slug(name).replaceAll('-', '')}`]) {
        if (!own.has(path)) found[path] ??= place.to
      }
    }
  }
  return found
}

/** The words with which one says that a call is meant, or whom on it; they are no part of a name. */
const OF_A_CALL = [
  ...['call', 'calls', 'contact', 'interaction', 'engagement', 'conversation', 'session', 'task'],
  ...['gespräch', 'anruf', 'kontakt'],
]
export const callWords = (): ReadonlySet<string> =>
  new Set([...OF_A_CALL, ...namesOf('agent'), ...namesOf('customer'), ...namesOf('supervisor')])
