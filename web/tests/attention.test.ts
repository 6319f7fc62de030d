import { describe, expect, test } from 'vitest'
import { attention, reasons } from '../src/state/attention'
import { sayWhy } from '../src/views/say'
import { Catalogue } from '../src/words/catalogue'
import { T0, at, call, moment } from './fixtures'

const seen = (change: Parameters<typeof call>[1]) => ({ call: call('c1', change), seen_ms: T0 })

describe('why a call wants a supervisor', () => {
  test('a call that merely goes on wants nobody', () => {
    expect(attention(seen({}), T0 + 60_000).code).toBe('none')
  })

  test('a raised hand comes before a long hold', () => {
    const both = seen({
      state: 'held',
      timeline: [moment(0, 'started'), moment(10, 'held', 'Ana', 'phone')],
      attention: [{ code: 'help_requested', since: at(200), detail: 'angry_customer' }],
    })
    const codes = reasons(both, T0 + 300_000).map((why) => why.code)
    expect(codes.slice(0, 2)).toEqual(['help_requested', 'hold'])
  })

  test('a hand that was said again says that nobody has come', async () => {
    const words = new Catalogue()
    await words.use('en', 'undertone')
    const said = (count?: number, detail?: 'angry_customer') => {
      const raised = { code: 'help_requested', since: at(0), count, detail }
      return sayWhy(words, attention(seen({ attention: [raised] }), T0 + 35_000), T0 + 35_000)
    }
    expect(said()).toBe('raised hand 0:35')
    expect(said(1)).toBe('nobody has come: hand raised 0:35')
    expect(said(2, 'angry_customer')).toContain('nobody has come: hand raised 0:35: ')
  })

  test('a hold is told with its length and how often it has happened', () => {
    const held = (n: number) =>
      Array.from({ length: n }, (_, i) => moment(10 * i, i % 2 ? 'resumed' : 'held'))
    const third = attention(seen({ state: 'held', timeline: held(5) }), T0 + 50_000)
    expect(third).toMatchObject({ code: 'hold', count: 3, since_ms: T0 + 40_000, raised: true })
  })

  test('a short first hold is told, but raises no row', () => {
    const first = attention(seen({ state: 'held', timeline: [moment(10, 'held')] }), T0 + 20_000)
    expect(first).toMatchObject({ code: 'hold', count: 1, raised: false })
  })

  test('an owner who came back is lost no more', () => {
    const lost = seen({ timeline: [moment(5, 'owner_lost', 'Mia')] })
    expect(attention(lost, T0 + 9_000).code).toBe('owner_lost')
    const back = seen({
      timeline: [moment(5, 'owner_lost', 'Mia'), moment(8, 'mode_changed', 'Mia')],
    })
    expect(attention(back, T0 + 9_000).code).toBe('none')
  })
})
