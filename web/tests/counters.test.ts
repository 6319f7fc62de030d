import { expect, test } from 'vitest'
import { WhisperCounter, whispered } from '../src/state/counters'
import { T0, at, call, supervision } from './fixtures'

const spans = (...all: [mode: 'listen' | 'whisper', from: number, to: number | null][]) =>
  all.map(([mode, from, to]) => ({ mode, from: at(from), to: to === null ? null : at(to) }))

test('after a reload the counts go on from what the server has, earlier visits too, others’ not', () => {
  const before = supervision({ id: 's0', spans: spans(['listen', 0, 10], ['whisper', 10, 14]) })
  const noor = supervision({
    id: 's9',
    supervisor: { id: 'noor', name: 'Noor' },
    spans: spans(['whisper', 0, 60]),
  })
  const mine = supervision({
    spans: spans(['whisper', 20, 23], ['listen', 23, 30], ['whisper', 30, null]),
  })
  const seed = whispered(call('c1', { supervisions: [before, noor, mine] }), mine, T0 + 32_000)
  expect(seed).toEqual({ count: 2, total_ms: 9_000 })
  const counter = new WhisperCounter(seed)
  counter.sample(T0 + 32_000, true)
  counter.sample(T0 + 33_000, true)
  expect(counter.read(T0 + 33_000)).toEqual({ now_ms: 1_000, count: 3, total_ms: 10_000 })
})

test('a supervision that the board has not yet told is counted once', () => {
  const mine = supervision({ spans: spans(['whisper', 1, 3]) })
  expect(whispered(call('c1'), mine, T0 + 9_000)).toEqual({ count: 1, total_ms: 2_000 })
})
