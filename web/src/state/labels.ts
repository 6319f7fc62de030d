// What things are called for this person: the organisation's preset and words, or another preset that
// they have chosen for themselves. Knows no catalogue and no page.
import type { Me } from '../api/types'
import { PRESETS, TERMS, type Preset, type Words } from '../words/terms'

export interface Labels {
  preset: Preset
  words: Partial<Words>
}

export const PLAIN: Labels = { preset: 'undertone', words: {} }

/** The organisation's, as far as these pages know its terms. */
export function labelsOf(me: Pick<Me, 'labels'> | null): Labels {
  if (!me) return PLAIN
  const preset = PRESETS.find((one) => one === me.labels.preset) ?? PLAIN.preset
  const known = TERMS.filter((term) => me.labels.words[term])
  return { preset, words: Object.fromEntries(known.map((term) => [term, me.labels.words[term]])) }
}

/** A preset of one's own is shown as it is: the organisation's words belong to the organisation's. */
export function inForce(organisation: Labels, own: Preset | null): Labels {
  return own === null ? organisation : { preset: own, words: {} }
}

/** One word of a draft; an empty one is the preset's again. */
export function withWord(labels: Labels, term: keyof Words, word: string): Labels {
  const words = { ...labels.words, [term]: word }
  if (word.trim() === '') delete words[term]
  return { ...labels, words }
}

export function sameLabels(one: Labels, other: Labels): boolean {
  const same = TERMS.every((term) => (one.words[term] ?? '') === (other.words[term] ?? ''))
  return same && one.preset === other.preset
}

/** A draft made over `base`, once others have changed that to `now`: only what was changed in the draft is. */
export function merged(base: Labels, draft: Labels, now: Labels): Labels {
  const words = { ...now.words }
  for (const term of TERMS) {
    if ((draft.words[term] ?? '') === (base.words[term] ?? '')) continue
    const word = draft.words[term]
    if (word === undefined) delete words[term]
    else words[term] = word
  }
  return { preset: draft.preset === base.preset ? now.preset : draft.preset, words }
}
