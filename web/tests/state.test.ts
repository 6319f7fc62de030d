import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LiveBoard, STALE_MS, staleFor } from '../src/state/board'
import { WhisperCounter, excess } from '../src/state/counters'
import { LIMITS } from '../src/state/attention'
import { Asking } from '../src/state/live'
import { parse, PreferenceStore } from '../src/state/preferences'
import { search } from '../src/state/search'
import { WavReader } from '../src/state/sound'
import { Talk } from '../src/state/talk'
import { ServerClock, Ticker, clockText } from '../src/state/time'
import { Refused } from '../src/api/client'
import type { MessageId } from '../src/words/catalogue'
import { wordsFor, type Term } from '../src/words/terms'
import { agent, call, supervision } from './fixtures'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

describe('the board', () => {
  test('a call whose sums alone have grown stays the same object', () => {
    const board = new LiveBoard()
    board.snapshot([call('c1')], [agent('ana')], [], 0)
    const before = board.get()
    const grown = { ...call('c1').timing, talk_ms: 60_000, duration_ms: 61_000 }
    board.snapshot([call('c1', { timing: grown })], [agent('ana')], [], 1_000)
    expect(board.get().calls.get('c1')).toBe(before.calls.get('c1'))
    expect(board.get().agents.get('ana')).toBe(before.agents.get('ana'))
  })

  test('changes come and go one by one, and an ended call is not live', () => {
    const board = new LiveBoard()
    board.snapshot([call('c1'), call('c2')], [], [], 0)
    board.changes({ calls: [call('c2', { state: 'ended' }), call('c3')], gone_calls: ['c2'] }, 1)
    expect([...board.get().calls.keys()]).toEqual(['c1', 'c3'])
  })

  test('an answer that comes late does not bring back a call that is gone', () => {
    const board = new LiveBoard()
    board.snapshot([call('c1'), call('c2')], [], [], 0)
    board.changes({ gone_calls: ['c1'] }, 1)
    board.call(call('c1'), 2)
    board.call(call('c2', { state: 'held' }), 2)
    expect([...board.get().calls.keys()]).toEqual(['c2'])
    expect(board.get().calls.get('c2')?.call.state).toBe('held')
  })

  test('twelve seconds without a word make it stale, a word makes it fresh', () => {
    const board = new LiveBoard()
    board.snapshot([], [], [], 0)
    vi.advanceTimersByTime(STALE_MS - 1)
    expect(staleFor(board.get(), Date.now())).toBeNull()
    vi.advanceTimersByTime(1)
    expect(staleFor(board.get(), Date.now())).toBe(STALE_MS)
    board.heard()
    expect(staleFor(board.get(), Date.now())).toBeNull()
  })
})

describe('asking for the board', () => {
  test('goes on once a second, backs off while the server is away, and comes back', async () => {
    const board = new LiveBoard()
    let away = false
    const calls = vi.fn(async () => {
      if (away) throw new Refused(0, 'unreachable', [], 'away')
      return { items: [call('c1')], date: null }
    })
    const asking = new Asking({ calls, agents: async () => [] } as never, board, new ServerClock())
    asking.start()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(calls).toHaveBeenCalledTimes(4)
    away = true
    await vi.advanceTimersByTimeAsync(30_000)
    expect(board.get().error?.code).toBe('unreachable')
    expect(calls.mock.calls.length).toBeLessThan(15)
    away = false
    await vi.advanceTimersByTimeAsync(9_000)
    expect(board.get()).toMatchObject({ error: null })
    asking.stop()
    const asked = calls.mock.calls.length
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls.mock.calls.length).toBe(asked)
  })
})

describe('whispers', () => {
  test('are counted from speech, and a breath does not split one', () => {
    const counter = new WhisperCounter()
    for (let ms = 0; ms <= 4_000; ms += 200) counter.sample(ms, ms < 1_000 || ms > 2_000)
    expect(counter.read(4_000)).toMatchObject({ count: 1, now_ms: 4_000 })
    for (let ms = 4_200; ms <= 8_000; ms += 200) counter.sample(ms, false)
    counter.sample(8_200, true)
    expect(counter.read(8_200)).toMatchObject({ count: 2, total_ms: 4_000 })
  })

  test('past the limits they are much: long, then a large share', () => {
    const limits = LIMITS
    expect(excess({ now_ms: 8_001, count: 1, total_ms: 8_001 }, 1_000, limits)).toBe('long')
    expect(excess({ now_ms: 0, count: 1, total_ms: 20_000 }, 120_000, limits)).toBe('share')
    expect(excess({ now_ms: 0, count: 4, total_ms: 2_000 }, 120_000, limits)).toBe('often')
    expect(excess({ now_ms: 0, count: 1, total_ms: 2_000 }, 120_000, limits)).toBeNull()
  })
})

describe('what the meters tell', () => {
  const meter = (id: string, speaking: boolean) => ({
    id,
    speaking,
    level_dbfs: speaking ? -20 : -70,
    hears: [],
  })

  test('silence begins when the last one stops, and any voice ends it', () => {
    const talk = new Talk()
    talk.take([meter('p1', true), meter('p2', false)], 0)
    talk.take([meter('p1', false), meter('p2', false)], 200)
    talk.take([meter('p1', false), meter('p2', false)], 20_000)
    expect(talk.read().silent_since_ms).toBe(200)
    talk.take([meter('p1', false), meter('p2', true)], 20_200)
    expect(talk.read().silent_since_ms).toBeNull()
  })

  test('talking over each other counts once for each time, and only of the last minute', () => {
    const talk = new Talk()
    const both = (at: number, speaking: boolean) =>
      talk.take([meter('p1', true), meter('p2', speaking)], at)
    for (const start of [0, 10_000, 20_000]) {
      for (let ms = 0; ms <= 3_000; ms += 200) both(start + ms, true)
      both(start + 3_200, false)
    }
    expect(talk.read().talk_overs).toBe(3)
    both(75_000, false)
    expect(talk.read().talk_overs).toBe(1)
  })

  test('a supervisor who speaks is not counted among those who talk', () => {
    const board = new LiveBoard()
    const parties = [
      ...call('c1').parties,
      { ...call('c1').parties[0]!, id: 'p3', role: 'supervisor' },
    ]
    board.snapshot([call('c1', { parties })], [], [], 0)
    for (let at = 0; at <= 4_000; at += 200)
      board.meter('c1', [meter('p1', true), meter('p3', true)], at)
    expect(board.sound('c1').talk_overs).toBe(0)
  })
})

describe('time', () => {
  test('is written for people', () => {
    expect([0, 65_000, 3_723_000, -5].map(clockText)).toEqual(['0:00', '1:05', '1:02:03', '0:00'])
  })

  test('follows the server’s clock, but not the rounding of its header', () => {
    const clock = new ServerClock()
    clock.learn(Date.now() + 700, Date.now(), Date.now())
    expect(clock.now()).toBe(Date.now())
    clock.learn(Date.now() + 90_000, Date.now(), Date.now())
    expect(clock.now()).toBe(Date.now() + 90_000)
  })

  test('ticks once for all, and only while somebody watches', () => {
    const ticker = new Ticker()
    const stops = [ticker.watch(() => {}), ticker.watch(() => {})]
    vi.advanceTimersByTime(3_000)
    expect(ticker.seconds.get()).toBe(3)
    stops.forEach((stop) => stop())
    vi.advanceTimersByTime(3_000)
    expect(ticker.seconds.get()).toBe(3)
  })
})

describe('the WAV that never ends', () => {
  test('is read however it is cut', () => {
    const header = new Uint8Array(44)
    header.set(new TextEncoder().encode('RIFF....WAVEfmt '))
    new DataView(header.buffer).setUint32(24, 16_000, true)
    header.set(new TextEncoder().encode('data'), 36)
    const bytes = Uint8Array.from([...header, 1, 0, 2, 0, 0xff, 0xff])
    for (const cut of [1, 7, 43, 44, 45, 47]) {
      const wav = new WavReader()
      const samples = [...wav.take(bytes.subarray(0, cut)), ...wav.take(bytes.subarray(cut))]
      expect([wav.rate, samples]).toEqual([16_000, [1, 2, -1]])
    }
  })
})

describe('finding', () => {
  test('knows every word of every preset, whatever is shown', () => {
    const board = new LiveBoard()
    board.snapshot([call('c1', { supervisions: [supervision()] })], [agent('Kim')], [], 0)
    const words = wordsFor('en', 'undertone')
    const said = { term: (term: Term) => words[term], t: (id: MessageId) => id }
    const found = (what: string) => search(what, board.get(), said).map((one) => one.title)
    expect(found('dashboard')).toContain('Wallboard')
    expect(found('anrufstatus')).toContain('Call status')
    expect(found('jane')).toEqual(['Ana Ruiz ↔ Jane Doe'])
    expect(found('kim')).toEqual(['Kim (1001)'])
    for (const word of ['call', 'engagement', 'lead jane', 'rep ana', 'Anrufer Jane'])
      expect(found(word), word).toContain('Ana Ruiz ↔ Jane Doe')
    expect(found('lead bo')).not.toContain('Ana Ruiz ↔ Jane Doe')
  })
})

describe('preferences', () => {
  test('that make no sense any more fall back', () => {
    expect(
      parse('{"preset":"old","density":"huge","words":{"listen":"Hear","x":"y"},"volume":7}'),
    ).toMatchObject({
      preset: null,
      density: 'comfortable',
      volume: 1,
    })
    expect(parse('no json').preset).toBeNull()
    expect(parse('{"preset":"pbx"}').preset).toBe('pbx')
  })

  const kept = () => {
    const all = new Map<string, string>()
    return {
      getItem: (key: string) => all.get(key) ?? null,
      setItem: (key: string, value: string) => void all.set(key, value),
    }
  }

  test('of two tabs each keeps what it changed, and nothing of the other’s', () => {
    const both = kept()
    const [one, other] = [new PreferenceStore(both), new PreferenceStore(both)]
    one.of('mia')
    other.of('mia')
    one.change({ density: 'compact', keymap: { mute: 'x' } })
    other.change({ tv: true, deskPhone: '2001' })
    one.again()
    expect(one.get()).toMatchObject({ density: 'compact', tv: true, deskPhone: '2001' })
    expect(new PreferenceStore(both).get()).toMatchObject({ density: 'compact', tv: true })
  })

  test('of a person are not the next one’s at the same machine, and are there again', () => {
    const store = new PreferenceStore(kept())
    store.of('mia')
    store.change({ pushToTalk: true, deskPhone: '2001', language: 'de' })
    store.of(null)
    expect(store.get()).toMatchObject({ pushToTalk: false, deskPhone: '', language: 'de' })
    store.of('noor')
    expect(store.get()).toMatchObject({ pushToTalk: false, deskPhone: '', language: 'de' })
    store.of('mia')
    expect(store.get()).toMatchObject({ pushToTalk: true, deskPhone: '2001' })
  })

  test('chosen on the way in are of who comes in', () => {
    const store = new PreferenceStore(kept())
    store.change({ deskPhone: '2002' })
    store.of('mia')
    store.of(null)
    store.of('noor')
    expect(store.get().deskPhone).toBe('')
    store.of('mia')
    expect(store.get().deskPhone).toBe('2002')
  })
})
