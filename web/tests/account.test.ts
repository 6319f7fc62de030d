import { describe, expect, test } from 'vitest'
import type { Heard } from '../src/api/types'
import { bands, intervals, notices, place } from '../src/state/account'
import { at, call, moment, supervision, T0 } from './fixtures'

const ear = (party_id: string | null, ...hears: string[]) => ({
  party_id,
  supervision_id: null,
  hears,
})
const stream = (supervision_id: string, ...hears: string[]) => ({
  party_id: null,
  supervision_id,
  hears,
})
const heard = (seconds: number, ...ears: Heard['ears']): Heard => ({ at: at(seconds), ears })

const mia = supervision({
  spans: [
    { mode: 'listen', from: at(5), to: at(8) },
    { mode: 'whisper', from: at(8), to: at(12) },
  ],
})
const ended = call('c1', {
  state: 'ended',
  ended_at: at(20),
  supervisions: [mia],
  timeline: [moment(1, 'answered'), moment(8, 'agent_told', 'Ana Ruiz', 'whisper')],
})
/** Talks from 1 to 20 s, is on hold from 14 to 17, and Mia whispers from 8 to 12. */
const ACCOUNT = [
  heard(1, ear('p1', 'p2'), ear('p2', 'p1')),
  heard(5, ear('p1', 'p2'), ear('p2', 'p1'), ear('p3', 'p1', 'p2')),
  heard(8, ear('p1', 'p2'), ear('p2', 'p1', 'p3'), ear('p3', 'p1', 'p2')),
  heard(12, ear('p1', 'p2'), ear('p2', 'p1')),
  heard(14),
  heard(17, ear('p1', 'p2'), ear('p2', 'p1')),
  heard(20),
]
const seconds = (ms: number) => (ms - T0) / 1_000

describe('the account of a call', () => {
  test('says who heard whom in each interval, and the last one ends with the call', () => {
    const all = intervals(ended, ACCOUNT, 0)
    expect(all.map((one) => [seconds(one.from_ms), seconds(one.to_ms)])).toEqual([
      [1, 5],
      [5, 8],
      [8, 12],
      [12, 14],
      [14, 17],
      [17, 20],
    ])
    expect(all[2]?.ears).toEqual([
      { name: 'Jane Doe', hears: ['Ana Ruiz'] },
      { name: 'Ana Ruiz', hears: ['Jane Doe', 'Mia Wong'] },
      { name: 'Mia Wong', hears: ['Jane Doe', 'Ana Ruiz'] },
    ])
    expect(all[4]?.ears).toEqual([])
  })

  test('a supervisor on a stream is named though without a seat', () => {
    const [first] = intervals(ended, [heard(1, stream('s1', 'p1')), heard(2)], 0)
    expect(first?.ears).toEqual([{ name: 'Mia Wong', hears: ['Jane Doe'] }])
  })

  test('what still runs, runs until now', () => {
    const live = call('c1')
    const [first] = intervals(live, ACCOUNT.slice(0, 1), T0 + 9_000)
    expect(seconds(first?.to_ms ?? 0)).toBe(9)
    expect(place(live, T0 + 3_000, T0 + 9_000)).toBeCloseTo(1 / 3)
  })
})

describe('bands', () => {
  test('there is one for each party and each supervisor, and alike follows as one piece', () => {
    const shown = bands(ended, ACCOUNT, 0).map((band) => [
      band.name,
      ...band.pieces.map((one) => `${one.kind} ${seconds(one.from_ms)}-${seconds(one.to_ms)}`),
    ])
    expect(shown).toEqual([
      ['Jane Doe', 'talks 1-14', 'nobody 14-17', 'talks 17-20'],
      ['Ana Ruiz', 'talks 1-14', 'nobody 14-17', 'talks 17-20'],
      ['Mia Wong', 'listen 5-8', 'whisper 8-12'],
    ])
  })

  test('a call from before there was an account has the supervisors’ bands alone', () => {
    expect(bands(ended, [], 0).map((band) => band.name)).toEqual(['Mia Wong'])
  })

  test('notices have their times', () => {
    expect(notices(ended)).toEqual([{ at_ms: T0 + 8_000, what: 'agent_told', who: 'Ana Ruiz' }])
  })
})
