import { describe, expect, test } from 'vitest'
import { inForce, labelsOf, merged, PLAIN, sameLabels, withWord } from '../src/state/labels'

const organisation = { preset: 'sales', words: { whisper: 'Tip', rival: 'x' } }

describe('what things are called', () => {
  test('is what the organisation calls them, as far as the pages know its terms', () => {
    expect(labelsOf({ labels: organisation })).toEqual({
      preset: 'sales',
      words: { whisper: 'Tip' },
    })
    expect(labelsOf({ labels: { preset: 'of tomorrow', words: {} } })).toEqual(PLAIN)
    expect(labelsOf(null)).toEqual(PLAIN)
  })

  test('is another preset for who has chosen one, without the words of the organisation', () => {
    const theirs = labelsOf({ labels: organisation })
    expect(inForce(theirs, null)).toBe(theirs)
    expect(inForce(theirs, 'pbx')).toEqual({ preset: 'pbx', words: {} })
  })

  test('is a draft that differs until it is as it was', () => {
    const theirs = labelsOf({ labels: organisation })
    const draft = withWord(theirs, 'agent', 'rep')
    expect(sameLabels(draft, theirs)).toBe(false)
    expect(sameLabels(withWord(draft, 'agent', '  '), theirs)).toBe(true)
    expect(sameLabels({ ...theirs, preset: 'pbx' }, theirs)).toBe(false)
  })

  test('of two who change them at once each keeps their own', () => {
    const base = labelsOf({ labels: organisation })
    const draft = withWord(withWord(base, 'agent', 'rep'), 'whisper', '')
    const now = { preset: 'pbx' as const, words: { whisper: 'Tip', barge: 'In' } }
    expect(merged(base, draft, now)).toEqual({
      preset: 'pbx',
      words: { agent: 'rep', barge: 'In' },
    })
    expect(merged(base, { ...base, preset: 'talk' }, now).preset).toBe('talk')
  })
})
