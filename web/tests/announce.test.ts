import { describe, expect, test } from 'vitest'
import { Announcer, SAY_EVERY_MS } from '../src/state/announce'
import type { Why } from '../src/state/attention'

const why = (code: Why['code'], rank: number, detail: string | null = null): Why => ({
  code,
  rank,
  since_ms: 0,
  count: 0,
  detail,
  raised: code !== 'none',
})
const calls = (all: Record<string, Why>) => new Map(Object.entries(all))

describe('what is said of the board', () => {
  test('is what is new, at most once in five seconds, the most urgent first', () => {
    const announcer = new Announcer()
    announcer.look(calls({ old: why('long_talk', 7), quiet: why('none', 10) }), 0)
    expect(announcer.get().calls).toEqual([])
    const hand = { old: why('long_talk', 7), hand: why('help_requested', 0) }
    announcer.look(calls(hand), 1_000)
    expect(announcer.get()).toEqual({ calls: ['hand'], all: 2 })
    const more = { ...hand, held: why('hold', 5), lost: why('owner_lost', 1) }
    announcer.look(calls(more), 2_000)
    expect(announcer.get().calls).toEqual(['hand'])
    announcer.look(calls(more), 1_000 + SAY_EVERY_MS)
    expect(announcer.get()).toEqual({ calls: ['lost', 'held'], all: 4 })
  })

  test('is said again with another reason, and after it was over, and else not', () => {
    const announcer = new Announcer()
    let said = 0
    announcer.look(calls({ c: why('none', 10) }), 0)
    announcer.watch(() => (said += 1))
    const at = (n: number) => n * SAY_EVERY_MS
    announcer.look(calls({ c: why('help_requested', 0) }), at(1))
    announcer.look(calls({ c: why('help_requested', 0) }), at(2))
    expect(said).toBe(1)
    announcer.look(calls({ c: why('help_requested', 0, 'safety') }), at(3))
    expect(said).toBe(2)
    announcer.look(calls({ c: why('none', 10) }), at(4))
    announcer.look(calls({ c: why('help_requested', 0, 'safety') }), at(5))
    expect(said).toBe(3)
  })
})
