// Sentences made of several facts: why a call wants help, who hears me, why something is off. Words come
// from the catalogue; which facts there are, from state.
import type { Refused } from '../api/client'
import type { Ability, Call, Mode, Supervision } from '../api/types'
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

/** The sentence that is on screen and in the tab's title as long as the panel is open. */
/** `key`: one is heard only while it is held. */
export function sentence(words: Catalogue, panel: Panel, key: string | null = null): string | null {
  const upper = (mode: Mode) =>
    words.term(mode).toLocaleUpperCase(words.language === 'de' ? 'de' : 'en')
  if (panel.phase === 'opening') {
    const id = panel.hearOn.kind === 'sip' ? 'sentence.ringing' : 'sentence.opening'
    return words.t(id, { MODE: upper(panel.wanted ?? 'listen') })
  }
  if (panel.phase !== 'live' || !panel.supervision) return null
  const said = modeSentence(words, panel, panel.supervision, upper(panel.supervision.mode))
  if (panel.supervision.mode === 'listen') return said
  if (panel.supervision.muted) return words.t('sentence.muted', { sentence: said })
  return key ? words.t('sentence.ptt', { sentence: said, key }) : said
}

function modeSentence(words: Catalogue, panel: Panel, mine: Supervision, MODE: string): string {
  const { call } = panel
  const agent = call ? agentOf(call) : null
  const names = shownName(agent) || words.term('agent')
  switch (mine.mode) {
    case 'listen':
      return words.t('sentence.listen', { MODE })
    case 'whisper': {
      const targets = call ? targetsOf(call, mine) : []
      if (call && targets.length === 0) return words.t('sentence.whisper_nobody', { MODE })
      const who = targets.map((party) => shownName(party)).join(', ') || names
      return words.t(targets.length > 1 ? 'sentence.whisper_many' : 'sentence.whisper', {
        MODE,
        names: who,
      })
    }
    case 'barge': {
      if (call && isInternal(call)) return words.t('sentence.barge_internal', { MODE })
      return words.t('sentence.barge', { MODE, names })
    }
    case 'takeover': {
      const fate = call ? agentFate(call, panel.agent_after) : null
      if (fate === 'gone' || fate === null) return words.t('sentence.takeover', { MODE })
      return words.t(`sentence.takeover_${fate}`, { MODE, names })
    }
  }
}
