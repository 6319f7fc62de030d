// Sentences made of several facts: why a call wants help, who hears me, why something is off. Words come
// from the catalogue; which facts there are, from state.
import type { Refused } from '../api/client'
import type { Ability, Call, Mode, Party, Supervision } from '../api/types'
import type { Why } from '../state/attention'
import type { Panel } from '../state/panel'
import { agentFate, agentOf, isInternal, shownName, targetsOf } from '../state/people'
import { clockText } from '../state/time'
import type { Catalogue } from '../words/catalogue'
import { alsoCalled } from '../words/terms'

export function sayWhy(words: Catalogue, why: Why, now_ms: number): string {
  const time = clockText(now_ms - why.since_ms)
  if (why.code === 'help_requested') {
    // Counted is how often it was said again because nobody came.
    const said = why.count > 0 ? 'why.help_urged' : 'why.help_requested'
    if (!why.detail) return words.t(said, { time })
    const id = `help.${why.detail}`
    const detail = words.has(id) ? words.t(id) : why.detail
    return words.t(`${said}_for`, { time, detail })
  }
  return words.t(`why.${why.code}`, { time, n: why.count })
}

/** A code of the server in words; one that is newer than this page stays a code. */
export function sayReason(words: Catalogue, code: string): string {
  const id = `reason.${code}`
  return words.has(id) ? words.t(id) : code.replaceAll('_', ' ')
}

export function sayRefusal(words: Catalogue, refused: Refused): string {
  const codes = refused.reasons.length > 0 ? refused.reasons : [refused.code]
  const known = codes.every((code) => words.has(`reason.${code}`))
  return known ? codes.map((code) => sayReason(words, code)).join('; ') : refused.message
}

/** A key as it is written on keyboards. */
export const shownKey = (words: Catalogue, key: string | null): string =>
  key === 'Space' ? words.t('keys.space') : (key ?? words.t('keys.off'))

/** Why a mode is off, or null when it is on. */
export function whyOff(words: Catalogue, ability: Ability | undefined): string | null {
  if (!ability || ability.allowed) return null
  const reasons = ability.reasons.length > 0 ? ability.reasons : ['not_allowed']
  return reasons.map((reason) => sayReason(words, reason)).join('; ')
}

/** The second line of a mode button: who will hear one. */
export function effect(words: Catalogue, call: Call, mode: Mode): string {
  const name = shownName(agentOf(call)) || words.term('agent')
  if (mode === 'barge' && isInternal(call)) return words.t('effect.barge_internal')
  return words.t(`effect.${mode}`, { name })
}

/** "Barge (join call): Ana and the customer hear you". */
export function modeName(words: Catalogue, call: Call, mode: Mode): string {
  const shown = words.term(mode)
  const also = alsoCalled(mode, shown)
  const named = also ? words.t('mode.also', { mode: shown, also }) : shown
  return words.t('mode.full', { mode: named, effect: effect(words, call, mode) })
}

/** What keeps this browser from being heard, though the mode would let it. */
export interface Unheard {
  lacks: 'leg' | 'microphone' | null
  /** One is heard only while it is held. */
  key: string | null
}

/** The sentence that is on screen and in the tab's title as long as the panel is open. */
export function sentence(
  words: Catalogue,
  panel: Panel,
  { lacks, key }: Unheard = { lacks: null, key: null },
): string | null {
  const upper = (mode: Mode) =>
    words.term(mode).toLocaleUpperCase(words.language === 'de' ? 'de' : 'en')
  if (panel.phase === 'opening') {
    if (panel.wanted === null) return words.t('sentence.seeking')
    const id = panel.hearOn.kind === 'sip' ? 'sentence.ringing' : 'sentence.opening'
    return words.t(id, { MODE: upper(panel.wanted) })
  }
  const mine = panel.supervision
  if (panel.phase !== 'live' || !mine) return null
  const said = modeSentence(words, panel, mine, upper(mine.mode))
  if (mine.mode === 'listen') return said
  if (mine.muted || panel.silent) return words.t('sentence.muted', { sentence: said })
  if (panel.hearOn.kind !== 'phone') return said
  if (lacks) return words.t(`sentence.no_${lacks}`, { sentence: said })
  return key ? words.t('sentence.ptt', { sentence: said, key }) : said
}

const listed = (parties: Party[]) => parties.map((party) => shownName(party)).join(', ')

function modeSentence(words: Catalogue, panel: Panel, mine: Supervision, MODE: string): string {
  const { call } = panel
  switch (mine.mode) {
    case 'listen':
      return words.t('sentence.listen', { MODE })
    case 'whisper':
      return whispered(words, call, mine, MODE)
    case 'barge':
      return barged(words, call, MODE)
    case 'takeover': {
      const agent = call ? agentOf(call) : null
      const names = shownName(agent) || words.term('agent')
      const fate = call ? agentFate(call, panel.agent_after) : null
      const here = call?.parties.filter((one) => one.role === 'customer' && one.connected) ?? []
      if (here.length > 0 && here.every((one) => one.held))
        return words.t('sentence.takeover_waits', { MODE })
      if (fate === 'gone' || fate === null) return words.t('sentence.takeover', { MODE })
      return words.t(`sentence.takeover_${fate}`, { MODE, names })
    }
  }
}

function whispered(words: Catalogue, call: Call | null, mine: Supervision, MODE: string): string {
  const there = call ? targetsOf(call, mine) : []
  if (call && there.length === 0) return words.t('sentence.whisper_nobody', { MODE })
  const hear = there.filter((party) => !party.held)
  if (call && hear.length === 0)
    return words.t('sentence.whisper_held', { MODE, names: listed(there) })
  const names = listed(hear) || words.term('agent')
  return words.t(hear.length > 1 ? 'sentence.whisper_many' : 'sentence.whisper', { MODE, names })
}

/** Who is on hold or has left does not hear one, and is not said to. */
function barged(words: Catalogue, call: Call | null, MODE: string): string {
  if (!call) return words.t('sentence.barge', { MODE, names: words.term('agent') })
  const hear = call.parties.filter((one) => one.connected && !one.held)
  const agents = hear.filter((one) => one.role === 'agent')
  const names = listed(agents)
  if (hear.some((one) => one.role === 'customer'))
    return words.t(names ? 'sentence.barge' : 'sentence.barge_customer', { MODE, names })
  if (!names) return words.t('sentence.barge_nobody', { MODE })
  if (isInternal(call) && call.parties.every((one) => one.connected && !one.held))
    return words.t('sentence.barge_internal', { MODE })
  return words.t('sentence.barge_agents', { MODE, names, n: agents.length })
}

/** Why somebody is away: a code that everybody's page says in its own language, or what was written. */
export function sayAway(words: Catalogue, reason: string): string {
  const id = `own.${reason}`
  return words.has(id) ? words.t(id) : reason
}
