import { describe, expect, test } from 'vitest'
import { Order, RESORT_MS, type Rank } from '../src/state/order'

const row = (id: string, rank: number, raised = false): Rank => ({ id, rank, since_ms: 0, raised })

describe('the order of the rows', () => {
  test('the most urgent stands on top, and three at most are raised', () => {
    const order = new Order()
    order.rows(
      ['d', 'c', 'b', 'a'].map((id, n) => row(id, n, true)),
      0,
    )
    expect(order.shown.get().ids).toEqual(['d', 'c', 'b', 'a'])
    expect([...order.shown.get().raised]).toEqual(['d', 'c', 'b'])
  })

  test('rows do not move before five seconds have passed, and what waits is counted', () => {
    const order = new Order()
    order.rows([row('a', 1), row('b', 2), row('c', 3)], 0)
    order.rows([row('a', 1), row('b', 2), row('c', 0)], RESORT_MS - 1)
    expect(order.shown.get().ids).toEqual(['a', 'b', 'c'])
    expect(order.shown.get().waiting).toBe(1)
    order.rows([row('a', 1), row('b', 2), row('c', 0)], RESORT_MS)
    expect(order.shown.get()).toMatchObject({ ids: ['c', 'a', 'b'], waiting: 0 })
  })

  test('under the pointer nothing moves however long it takes, until the chip is pressed', () => {
    const order = new Order()
    order.rows([row('a', 1), row('b', 2)], 0)
    order.hold(true, 1)
    order.rows([row('a', 2), row('b', 1)], 60_000)
    expect(order.shown.get()).toMatchObject({ ids: ['a', 'b'], waiting: 1 })
    order.apply(60_001)
    expect(order.shown.get()).toMatchObject({ ids: ['b', 'a'], waiting: 0 })
  })

  test('who comes while rows are held stands at the end, who goes closes the gap', () => {
    const order = new Order()
    order.rows([row('a', 1), row('b', 2)], 0)
    order.hold(true, 1)
    order.rows([row('b', 2), row('new', 0)], 10_000)
    expect(order.shown.get().ids).toEqual(['b', 'new'])
  })
})
