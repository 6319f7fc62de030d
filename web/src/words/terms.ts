// The words of terms.md as keys, and the six label presets that change them for an organisation. Data
// only: code, API and logs keep the code names whatever the labels say.

export const TERMS = [
  'listen',
  'whisper',
  'barge',
  'takeover',
  'hand_back',
  'agent',
  'customer',
  'supervisor',
  'wallboard',
  'live_calls',
  'call_status',
  'panel',
  'alert',
] as const
export type Term = (typeof TERMS)[number]
export type Words = Record<Term, string>

export const PRESETS = ['undertone', 'pbx', 'helpdesk', 'sales', 'talk', 'enterprise'] as const
export type Preset = (typeof PRESETS)[number]

const EN: Words = {
  listen: 'Listen',
  whisper: 'Whisper',
  barge: 'Barge',
  takeover: 'Take over',
  hand_back: 'Return to agent',
  agent: 'agent',
  customer: 'customer',
  supervisor: 'supervisor',
  wallboard: 'Wallboard',
  live_calls: 'Live calls',
  call_status: 'Call status',
  panel: 'Audio Monitoring',
  alert: 'Monitoring alert',
}

const DE: Words = {
  listen: 'Mithören',
  whisper: 'Einflüstern',
  barge: 'Aufschalten',
  takeover: 'Übernehmen',
  hand_back: 'Zurückgeben',
  agent: 'Agent',
  customer: 'Kunde',
  supervisor: 'Supervisor',
  wallboard: 'Wallboard',
  live_calls: 'Laufende Gespräche',
  call_status: 'Gesprächsstatus',
  panel: 'Audio-Überwachung',
  alert: 'Mithörhinweis',
}

type Labels = Record<Preset, Partial<Words>>

const EN_PRESETS: Labels = {
  undertone: {},
  pbx: {
    listen: 'Listen Only',
    barge: 'Join Call',
    customer: 'caller',
    supervisor: 'Call Center Supervisor',
  },
  helpdesk: { wallboard: 'Live Dashboard', barge: 'Barge In', customer: 'caller' },
  sales: {
    call_status: 'Call Status',
    listen: 'Monitor',
    whisper: 'Coach',
    panel: 'Live Call',
    customer: 'lead',
    alert: 'Monitoring Alert',
  },
  talk: { agent: 'rep' },
  enterprise: {
    listen: 'Silent monitoring',
    whisper: 'Whisper coaching',
    barge: 'Barge-in',
    takeover: 'Call takeover',
  },
}

const DE_PRESETS: Labels = {
  undertone: {},
  pbx: { listen: 'Nur mithören', barge: 'Gespräch beitreten', customer: 'Anrufer' },
  helpdesk: { wallboard: 'Live-Übersicht', barge: 'Dazuschalten', customer: 'Anrufer' },
  sales: {
    call_status: 'Anrufstatus',
    listen: 'Beobachten',
    whisper: 'Coachen',
    panel: 'Gespräch',
    customer: 'Lead',
  },
  talk: { agent: 'Mitarbeiter' },
  enterprise: {
    listen: 'Stilles Mithören',
    whisper: 'Flüster-Coaching',
    barge: 'Aufschaltung',
    takeover: 'Gesprächsübernahme',
  },
}

const BASE: Record<string, Words> = { en: EN, de: DE }
const LABELS: Record<string, Labels> = { en: EN_PRESETS, de: DE_PRESETS }

/** The words in force: the language's, the preset's over them, the organisation's own over those. */
export function wordsFor(language: string, preset: Preset, own: Partial<Words> = {}): Words {
  const base = BASE[language] ?? EN
  return { ...base, ...(LABELS[language] ?? EN_PRESETS)[preset], ...own }
}

/** What else people call it, in any preset and in the field; for search, names and addresses. */
export const SYNONYMS: Partial<Record<Term, readonly string[]>> = {
  listen: [
    'listen',
    'listen in',
    'listen-in',
    'monitor',
    'silent monitor',
    'spy',
    'eavesdrop',
    'snoop',
    'secret monitor',
    'observe',
    'listen only',
  ],
  whisper: [
    'whisper',
    'coach',
    'assist',
    'private guidance',
    'coaching intrusion',
    'whisper coaching',
  ],
  barge: ['barge', 'barge in', 'barge-in', 'join call', 'join', 'conference', '3-way', 'intrude'],
  takeover: ['take over', 'takeover', 'intercept', 'steal', 'remove agent', 'call takeover'],
  wallboard: [
    'wallboard',
    'live dashboard',
    'dashboard',
    'hud',
    'real-time metrics',
    'live monitoring',
    'team performance',
  ],
  live_calls: [
    'live calls',
    'live call',
    'active calls',
    'open engagements',
    'interactions',
    'calls',
    'laufende anrufe',
  ],
  call_status: ['call status', 'agents', 'availability', 'people', 'team', 'verfügbarkeit'],
  hand_back: ['hand back', 'hand-back', 'return to agent', 'zurückgeben'],
  panel: ['audio monitoring', 'live call panel', 'coach panel'],
  alert: ['monitoring alert', 'agent notice', 'beep'],
  agent: ['agent', 'rep', 'trainee', 'pupil', 'representative', 'mitarbeiter'],
  customer: ['customer', 'caller', 'contact', 'consumer', 'lead', 'traveler', 'guest', 'kunde'],
  supervisor: ['supervisor', 'coach', 'lead', 'manager', 'monitor', 'authorised user'],
}

/** What stands in brackets in a mode button's accessible name: the words of other presets. */
export function alsoCalled(term: Term, shown: string): string {
  const names: Partial<Record<Term, string>> = {
    listen: 'silent monitor',
    whisper: 'coach',
    barge: 'join call',
    takeover: 'intercept',
  }
  const other = names[term]
  return other && other.toLowerCase() !== shown.toLowerCase() ? other : ''
}
