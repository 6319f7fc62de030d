import { describe, expect, test } from 'vitest'
import { LiveBoard } from '../src/state/board'
import { CallOver } from '../src/state/over'
import { call } from './fixtures'

function stage() {
  const board = new LiveBoard()
  return { board, over: new CallOver(board, () => 'Ana Ruiz') }
}

describe('the call that is just over', () => {
  test('is one’s own, once it is gone, until it is put aside', () => {
    const { board, over } = stage()
    board.snapshot([call('c1'), call('c2')], [], [], 0)
    expect(over.get()).toBeNull()
    board.changes({ gone_calls: ['c1'] }, 1)
    expect(over.get()?.id).toBe('c1')
    board.changes({ calls: [call('c3')] }, 2)
    expect(over.get()?.id).toBe('c1')
    board.changes({ gone_calls: ['c3'] }, 3)
    expect(over.get()?.id).toBe('c3')
    over.putAside()
    board.heard()
    expect(over.get()).toBeNull()
  })

  test('is none that one did not take, or that was another’s', () => {
    const { board, over } = stage()
    const rang = call('c1')
    const parties = rang.parties.map((one) => ({ ...one, connected: one.role !== 'agent' }))
    const others = rang.parties.map((one) => ({ ...one, person_id: 'bo' }))
    board.snapshot([{ ...rang, parties }, call('c2', { parties: others })], [], [], 0)
    board.changes({ gone_calls: ['c1', 'c2'] }, 1)
    expect(over.get()).toBeNull()
  })
})
