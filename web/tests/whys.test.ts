import { describe, expect, test } from 'vitest'
import { LIMITS } from '../src/state/attention'
import { LiveBoard } from '../src/state/board'
import { OpenPage, titleOf } from '../src/state/page'
import { Whys } from '../src/state/whys'
import { at, call, moment, T0 } from './fixtures'

const held = call('c1', {
  state: 'held',
  timeline: [moment(0, 'started'), moment(1, 'answered'), moment(5, 'held')],
})

describe('why calls want help', () => {
  test('is worked out for all at once, and a second that goes by changes nothing', () => {
    const board = new LiveBoard()
    board.snapshot([held, call('c2')], [], [], T0)
    const whys = new Whys(board, () => LIMITS)
    let told = 0
    whys.watch(() => (told += 1))
    const ranks = whys.look(T0 + 10_000)
    expect(ranks.map(({ id }) => id)).toEqual(['c1', 'c2'])
    expect(whys.get().get('c1')).toMatchObject({ code: 'hold', since_ms: Date.parse(at(5)) })
    const before = whys.get()
    for (let second = 11; second < 60; second += 1) whys.look(T0 + second * 1_000)
    expect([whys.get(), told]).toEqual([before, 1])
    expect(whys.get()).toBe(before)
  })

  test('changes when a limit is passed, for that call alone', () => {
    const board = new LiveBoard()
    board.snapshot([held, call('c2')], [], [], T0)
    const whys = new Whys(board, () => LIMITS)
    whys.look(T0 + 10_000)
    const other = whys.get().get('c2')
    const [rank] = whys.look(Date.parse(at(5)) + LIMITS.hold_long_ms)
    expect(rank).toMatchObject({ id: 'c1', raised: true })
    expect(whys.get().get('c2')).toBe(other)
    board.changes({ gone_calls: ['c1'] }, T0)
    whys.look(T0 + 200_000)
    expect([...whys.get().keys()]).toEqual(['c2'])
  })
})

describe('the open page', () => {
  test('has the focus at its heading when one comes from another, and not at the first', () => {
    const page = new OpenPage()
    expect([page.opens(), page.opens(), page.opens()]).toEqual([false, true, true])
  })

  test('names the tab, after who hears one', () => {
    expect(titleOf('Live calls', null, 'Undertone')).toBe('Live calls · Undertone')
    expect(titleOf('Live calls', 'LISTEN: nobody hears you', 'Undertone')).toBe(
      'LISTEN: nobody hears you · Live calls',
    )
  })
})
