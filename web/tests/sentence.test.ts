import { beforeEach, describe, expect, test } from 'vitest'
import type { Party, Supervision } from '../src/api/types'
import { lastPrompt, type Prompt } from '../src/state/notes'
import { CLOSED, type Panel } from '../src/state/panel'
import { sentence } from '../src/views/say'
import { Catalogue } from '../src/words/catalogue'
import { at, call, party, supervision } from './fixtures'

const words = new Catalogue()
beforeEach(() => words.use('en', 'undertone'))

function said(mode: Supervision['mode'], parties: Party[], change: Partial<Panel> = {}) {
  const mine = supervision({ mode, targets: mode === 'whisper' ? ['p2'] : [] })
  const panel: Panel = {
    ...CLOSED,
    phase: 'live',
    supervision: mine,
    call: call('c1', { parties }),
  }
  return sentence(words, { ...panel, ...change })
}
const jane = (change: Partial<Party> = {}) => ({
  ...party('p1', 'customer', 'Jane', 'external'),
  ...change,
})
const ana = (change: Partial<Party> = {}) => ({
  ...party('p2', 'agent', 'Ana', 'internal'),
  ...change,
})

describe('the sentence names who hears one, and nobody else', () => {
  test.each([
    ['all', [jane(), ana()], 'BARGE: Ana and the customer hear you'],
    ['an agent on hold', [jane(), ana({ held: true })], 'BARGE: only the customer hears you'],
    [
      'an agent who left',
      [jane(), ana({ connected: false })],
      'BARGE: only the customer hears you',
    ],
    ['a customer on hold', [jane({ held: true }), ana()], 'BARGE: only Ana hears you'],
    ['both on hold', [jane({ held: true }), ana({ held: true })], 'BARGE: nobody hears you now'],
  ])('in barge with %s', (_, parties, text) => {
    expect(said('barge', parties)).toBe(text)
  })

  test('in a whisper to one who is on hold or has left', () => {
    expect(said('whisper', [jane(), ana()])).toBe('WHISPER: only Ana hears you')
    expect(said('whisper', [jane(), ana({ held: true })])).toBe(
      'WHISPER: nobody hears you, Ana is on hold',
    )
    expect(said('whisper', [jane(), ana({ connected: false })])).toBe(
      'WHISPER: nobody hears you, the one you coached has left',
    )
  })
})

test('a prompt of a supervisor who has gone is none to answer; of one who is there it is', () => {
  const prompt = (id: string, supervision_id: string): Prompt => ({
    id,
    call_id: 'c1',
    supervision_id,
    from: { id: 'mia', name: 'Mia' },
    at: at(1),
    text: id,
  })
  const written = { prompts: [prompt('a', 's1'), prompt('b', 's2')], replies: [] }
  expect(lastPrompt(written, 'c1')?.id).toBe('b')
  expect(lastPrompt(written, 'c1', ['s2'])?.id).toBe('a')
  expect(lastPrompt(written, 'c1', ['s1', 's2'])).toBeNull()
})
