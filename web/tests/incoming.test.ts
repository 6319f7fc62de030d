import { describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import { LiveBoard } from '../src/state/board'
import { Answering, incoming } from '../src/state/incoming'
import type { PhoneState } from '../src/state/phone'
import { call } from './fixtures'

const UP: PhoneState = { phase: 'up', microphone: 'paused', problem: null, level: 0, callId: null }

function board(change: Parameters<typeof call>[1] = { state: 'ringing' }) {
  const made = call('c1', change)
  const [first, second] = made.parties
  const mine = { ...second!, person_id: 'ana', connected: false }
  const all = new LiveBoard()
  all.snapshot([{ ...made, parties: [first!, mine] }], [], [], 0)
  return { board: all.get(), caller: first! }
}

describe('a call that rings at this browser', () => {
  test('is one of mine that nobody of me has taken, and names who calls', () => {
    const { board: here, caller } = board()
    expect(incoming(here, UP, 'ana')).toMatchObject({ call: { id: 'c1' }, from: { id: caller.id } })
    expect(incoming(here, UP, 'bo')).toBeNull()
    expect(incoming(board({ state: 'talking' }).board, UP, 'ana')).toBeNull()
  })

  test('does not ring where no phone is up, nor while the phone is in a call', () => {
    const { board: here } = board()
    expect(incoming(here, { ...UP, phase: 'elsewhere' }, 'ana')).toBeNull()
    expect(incoming(here, { ...UP, callId: 'c2' }, 'ana')).toBeNull()
  })

  test('nobody is answered before there is a microphone', async () => {
    const did: string[] = []
    const note = (what: string) => vi.fn(async () => void did.push(what))
    const voice = { ready: note('ready'), prepare: note('prepare') }
    const api = {
      answer: vi.fn(async () => (did.push('answered'), call('c1'))),
      decline: note('no'),
    }
    const answering = new Answering(api, voice)
    await answering.answer('c1')
    expect(did).toEqual(['prepare', 'answered'])
    did.length = 0
    voice.prepare.mockRejectedValueOnce(new Refused(0, 'microphone_denied', [], ''))
    await answering.answer('c1')
    expect([did, answering.get().problem?.code]).toEqual([[], 'microphone_denied'])
    answering.dismiss()
    expect(answering.get().problem).toBeNull()
  })
})
