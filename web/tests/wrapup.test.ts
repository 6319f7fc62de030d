import { describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import { LiveBoard } from '../src/state/board'
import { WrapUps } from '../src/state/wrapup'
import { at, call, supervision } from './fixtures'

const whispered = supervision({
  spans: [
    { mode: 'listen', from: at(1), to: at(2) },
    { mode: 'whisper', from: at(2), to: null },
  ],
})
const listened = supervision({ id: 's2', supervisor: { id: 'noor', name: 'Noor Haddad' } })

function stage(me: string | null = 'Ana Ruiz') {
  const board = new LiveBoard()
  const feedback = vi.fn(async () => null)
  const wrapUps = new WrapUps({ feedback }, board, () => me)
  return { board, feedback, wrapUps }
}

describe('the question after the call', () => {
  test('comes when an own call ends, about who spoke, and is sent once', async () => {
    const { board, feedback, wrapUps } = stage()
    board.snapshot([call('c1', { supervisions: [listened, whispered] })], [], [], 0)
    expect(wrapUps.get().questions).toEqual([])
    board.changes({ gone_calls: ['c1'] }, 1)
    expect(wrapUps.get().questions).toEqual([
      { callId: 'c1', supervisionId: 's1', name: 'Mia Wong' },
    ])
    await wrapUps.answer('too_much')
    expect(feedback).toHaveBeenCalledWith('c1', 's1', 'too_much')
    expect(wrapUps.get()).toMatchObject({ questions: [], thanked: true })
    await wrapUps.answer('yes')
    expect(feedback).toHaveBeenCalledTimes(1)
  })

  test('does not come of others’ calls, of a mere listener, or of a board that is away', () => {
    const other = stage('Bo Larsen')
    other.board.snapshot([call('c1', { supervisions: [whispered] })], [], [], 0)
    other.board.changes({ gone_calls: ['c1'] }, 1)
    expect(other.wrapUps.get().questions).toEqual([])
    const { board, wrapUps } = stage()
    board.snapshot([call('c1', { supervisions: [listened] })], [], [], 0)
    board.changes({ gone_calls: ['c1'] }, 1)
    board.snapshot([call('c2', { supervisions: [whispered] })], [], [], 2)
    board.forget()
    expect(wrapUps.get().questions).toEqual([])
  })

  test('a refusal says so and the question stays; who does not answer is asked no more', async () => {
    const { board, feedback, wrapUps } = stage()
    board.snapshot([call('c1', { supervisions: [whispered] })], [], [], 0)
    board.changes({ gone_calls: ['c1'] }, 1)
    feedback.mockRejectedValueOnce(new Refused(503, 'audit_unavailable', [], ''))
    await wrapUps.answer('yes')
    expect(wrapUps.get()).toMatchObject({ problem: { code: 'audit_unavailable' } })
    expect(wrapUps.get().questions.length).toBe(1)
    wrapUps.skip()
    expect(wrapUps.get().questions).toEqual([])
  })
})
