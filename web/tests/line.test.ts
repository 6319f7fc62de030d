import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LineWatch, MENDED_MS } from '../src/state/line'
import type { Connection } from '../src/state/live'
import { CLOSED, type Panel } from '../src/state/panel'
import type { PhoneState } from '../src/state/phone'
import { Store } from '../src/state/store'
import type { Mode, Supervision } from '../src/api/types'
import { call, party, supervision } from './fixtures'

const UP: PhoneState = { phase: 'up', microphone: 'on', problem: null, level: 0, callId: 'c1' }

function attending(mode: Mode, change: Partial<Supervision> = {}) {
  const mine = supervision({ mode, leg: { kind: 'phone' }, ...change })
  const own = party('p3', 'supervisor', 'Mia Wong', 'internal')
  const live: Panel = {
    ...CLOSED,
    phase: 'live',
    callId: 'c1',
    hearOn: { kind: 'phone' },
    supervision: mine,
    call: call('c1', { supervisions: [mine], parties: [...call('c1').parties, own] }),
  }
  const panel = new Store(live)
  const phone = new Store(UP)
  const connection = new Store<Connection>({ lost_ms: null })
  const line = new LineWatch({ panel, phone, connection })
  const quiet = (is: boolean) => {
    const parties = [...call('c1').parties, { ...own, quiet: is }]
    panel.update((p) => ({ ...p, call: p.call && { ...p.call, parties } }))
  }
  const codes = () => line.get().troubles.map(({ code }) => code)
  return { panel, phone, connection, line, quiet, codes }
}

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

describe('the line', () => {
  test('a page that is cut off says so, counts on, and says for a while that it is back', () => {
    const { line, connection, codes } = attending('whisper')
    connection.set({ lost_ms: Date.now() })
    expect(line.get().troubles).toEqual([{ code: 'page', ms: 0, mode: 'whisper', on: 'phone' }])
    vi.advanceTimersByTime(7_000)
    expect(line.get().troubles[0]).toMatchObject({ ms: 7_000 })
    connection.set({ lost_ms: null })
    expect([codes(), line.get().mended]).toEqual([[], 'page'])
    vi.advanceTimersByTime(MENDED_MS + 1_000)
    expect(line.get()).toEqual({ troubles: [], mended: null })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that nothing of one’s sound arrives is said where one should be heard, and nowhere else', () => {
    for (const mode of ['whisper', 'barge', 'takeover'] as const) {
      const { quiet, codes } = attending(mode)
      quiet(true)
      expect(codes(), mode).toEqual(['sound'])
    }
    for (const here of [attending('listen'), attending('barge', { muted: true })]) {
      here.quiet(true)
      expect(here.codes()).toEqual([])
    }
  })

  test('a leg that is restored is one trouble, not two', () => {
    const { phone, quiet, codes } = attending('takeover')
    quiet(true)
    phone.set({ ...UP, phase: 'lost' })
    expect(codes()).toEqual(['leg'])
    phone.set(UP)
    expect(codes()).toEqual(['sound'])
  })

  test('who is cut off from the server knows nothing of what it measures', () => {
    const { connection, quiet, codes } = attending('barge')
    quiet(true)
    connection.set({ lost_ms: Date.now() })
    expect(codes()).toEqual(['page'])
  })

  test('a desk phone has no leg here and no sound of this page', () => {
    const { panel, phone, quiet, codes } = attending('barge')
    panel.update((p) => ({ ...p, hearOn: { kind: 'sip', uri: 'sip:1', name: '1' } }))
    phone.set({ ...UP, phase: 'lost' })
    quiet(true)
    expect(codes()).toEqual([])
  })

  test('what the server came down to by itself is said until one has read it', () => {
    const { panel, line, codes } = attending('listen', { fell_because: 'control_lost', version: 7 })
    panel.update((p) => ({ ...p }))
    expect(line.get().troubles).toEqual([{ code: 'fell', mode: 'listen', because: 'control_lost' }])
    panel.update((p) => ({ ...p, fell_seen: 7 }))
    expect([codes(), line.get().mended]).toEqual([[], null])
  })

  test('nothing is wrong with a session that has ended', () => {
    const { panel, connection, line } = attending('barge')
    connection.set({ lost_ms: Date.now() })
    panel.update((p) => ({ ...p, phase: 'ended' }))
    expect(line.get()).toEqual({ troubles: [], mended: null })
  })
})
