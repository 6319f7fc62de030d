import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Keypad, isKey, keypadOff, type Key } from '../src/state/keypad'
import { CLOSED, type Panel } from '../src/state/panel'
import { Store } from '../src/state/store'
import type { Supervision } from '../src/api/types'
import { call, party, supervision } from './fixtures'

const mine = (change: Partial<Supervision> = {}) =>
  supervision({ mode: 'takeover', leg: { kind: 'phone' }, ...change })

function console_(dial: (key: Key) => boolean = () => true) {
  const panel = new Store<Panel>(CLOSED)
  const sent = vi.fn(dial)
  const keypad = new Keypad({ dial: sent }, panel)
  const take = (change: Partial<Supervision> = {}) =>
    panel.set({ ...CLOSED, phase: 'live', supervision: mine(change), call: call('c1') })
  const press = (keys: string) => [...keys].forEach((key) => isKey(key) && keypad.press(key))
  const dialled = () => sent.mock.calls.map(([key]) => key).join('')
  return { panel, keypad, take, press, dialled }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the keypad', () => {
  test('sends what is pressed, in its order, and shows it', () => {
    const { keypad, take, press, dialled } = console_()
    take()
    vi.advanceTimersByTime(1_000)
    press('42#')
    expect(dialled()).toBe('42#')
    expect(keypad.get()).toEqual({ supervision: 's1', keys: '42#', failed: false })
  })

  test('what is pressed while the guard runs waits until it has, and keeps its place', () => {
    const { take, press, dialled } = console_()
    take()
    press('12')
    vi.advanceTimersByTime(300)
    press('3')
    expect(dialled()).toBe('')
    vi.advanceTimersByTime(300)
    expect(dialled()).toBe('123')
    take({ muted: true, version: 2 })
    take({ version: 3 })
    press('4')
    expect(dialled()).toBe('123')
    vi.advanceTimersByTime(600)
    expect(dialled()).toBe('1234')
  })

  test('what waits is dropped when one is muted meanwhile, or has no takeover any more', () => {
    const { take, press, dialled, panel, keypad } = console_()
    take()
    press('1')
    take({ muted: true, version: 2 })
    press('2')
    expect(keypad.get().keys).toBe('')
    vi.advanceTimersByTime(5_000)
    take({ version: 3 })
    press('3')
    panel.set(CLOSED)
    press('4')
    vi.advanceTimersByTime(5_000)
    expect([dialled(), vi.getTimerCount()]).toEqual(['', 0])
  })

  test('shows nothing that was not sent, and says that it was not', () => {
    const { keypad, take, press } = console_((key) => key !== '9')
    take()
    vi.advanceTimersByTime(1_000)
    press('19')
    expect(keypad.get()).toEqual({ supervision: 's1', keys: '1', failed: true })
    press('2')
    expect(keypad.get()).toMatchObject({ keys: '12', failed: false })
  })

  test('what was pressed on one call is not shown on the next', () => {
    const { keypad, take, press } = console_()
    take()
    press('1')
    take({ id: 's2' })
    press('2')
    expect(keypad.get().keys).toBe('2')
  })

  test('is off where nobody would hear one, and at a telephone that has keys of its own', () => {
    expect(keypadOff(call('c1'), mine())).toBeNull()
    expect(keypadOff(call('c1'), mine({ muted: true }))).toBe('muted')
    const held = { ...party('p1', 'customer', 'Jane', 'external'), held: true }
    expect(keypadOff(call('c1', { parties: [held] }), mine())).toBe('held')
    expect(keypadOff(call('c1'), mine({ leg: { kind: 'sip' } as never }))).toBe('not_here')
  })

  test('has the twelve keys of a telephone and no letters', () => {
    expect(['0', '9', '*', '#'].every(isKey)).toBe(true)
    expect(['a', 'A', '', '10', 'Enter'].some(isKey)).toBe(false)
  })
})
