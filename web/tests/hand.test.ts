import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import { RaisedHand, SENT_AFTER_MS } from '../src/state/hand'
import { Notes, lastPrompt, repliesTo, type Reply } from '../src/state/notes'

function stage() {
  const api = {
    help: vi.fn(async () => ({}) as never),
    helpReason: vi.fn(async () => ({}) as never),
    helpEnd: vi.fn(async () => null),
  }
  return { api, hand: new RaisedHand(api) }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a raised hand', () => {
  test('is sent without a reason after a moment, and once', () => {
    const { api, hand } = stage()
    hand.raise('c1')
    hand.raise('c1')
    vi.advanceTimersByTime(SENT_AFTER_MS - 1)
    expect(api.help).not.toHaveBeenCalled()
    vi.advanceTimersByTime(SENT_AFTER_MS)
    expect(api.help.mock.calls).toEqual([['c1', null]])
    expect(hand.get().asking).toBeNull()
  })

  test('goes at once with the reason that is chosen; later a reason is added', async () => {
    const { api, hand } = stage()
    hand.raise('c1')
    await hand.because('c1', 'angry_customer')
    vi.advanceTimersByTime(SENT_AFTER_MS * 2)
    expect(api.help.mock.calls).toEqual([['c1', 'angry_customer']])
    await hand.because('c1', 'policy')
    expect(api.helpReason.mock.calls).toEqual([['c1', 'policy']])
  })

  test('lowered before it went it is not sent; after that it is withdrawn', async () => {
    const { api, hand } = stage()
    hand.raise('c1')
    await hand.lower('c1')
    vi.advanceTimersByTime(SENT_AFTER_MS * 2)
    expect([api.help, api.helpEnd].map((one) => one.mock.calls.length)).toEqual([0, 0])
    await hand.lower('c1')
    expect(api.helpEnd.mock.calls).toEqual([['c1']])
  })

  test('that is refused says why', async () => {
    const { api, hand } = stage()
    api.help.mockRejectedValueOnce(new Refused(409, 'agent_not_on_call', [], ''))
    hand.raise('c1')
    await vi.advanceTimersByTimeAsync(SENT_AFTER_MS)
    expect(hand.get().problem?.code).toBe('agent_not_on_call')
  })
})

describe('written words', () => {
  const note = (id: string, call_id = 'c1') => ({
    id,
    call_id,
    supervision_id: 's1',
    from: { id: 'mia', name: 'Mia' },
    at: '2026-11-21T12:00:00.000Z',
  })

  test('the last prompt of a call is shown, one that comes twice is one', () => {
    const notes = new Notes()
    for (const id of ['a', 'b', 'b']) notes.prompt({ ...note(id), text: id })
    notes.prompt({ ...note('c', 'c2'), text: 'c' })
    expect(lastPrompt(notes.get(), 'c1')?.id).toBe('b')
    expect(notes.get().prompts).toHaveLength(3)
  })

  test('replies are those to this supervision, the newest first', () => {
    const notes = new Notes()
    const reply = (id: string, word: Reply['reply']) => ({ ...note(id), reply: word })
    notes.reply(reply('a', 'say_again'))
    notes.reply(reply('b', 'done'))
    notes.reply({ ...reply('c', 'cannot'), supervision_id: 's2' })
    expect(repliesTo(notes.get(), 's1').map((one) => one.reply)).toEqual(['done', 'say_again'])
  })
})
