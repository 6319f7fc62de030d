import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Relays } from '../src/state/relays'

const HOUR_MS = 3_600_000
const server = (username: string) => ({
  urls: ['turn:192.0.2.1:3478'],
  username,
  credential: 'secret',
  lasts_ms: 2 * HOUR_MS,
})

function connection(kind: 'relay' | 'host') {
  const stats = new Map<string, unknown>([
    ['t', { type: 'transport', selectedCandidatePairId: 'p' }],
    ['p', { type: 'candidate-pair', localCandidateId: 'l' }],
    ['l', { type: 'local-candidate', candidateType: kind }],
  ])
  return { setConfiguration: vi.fn(), getStats: async () => stats }
}

function relays(kind: 'relay' | 'host') {
  let asked = 0
  const ask = vi.fn(async () => ({ ice_servers: [server(`n${(asked += 1)}`)] }))
  const one = connection(kind)
  const restart = vi.fn(async () => {})
  const kept = new Relays(ask)
  return { ask, one, restart, kept, on: one as unknown as RTCPeerConnection }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('long before a password ends there is another, and what goes by the relay moves to it', async () => {
  const { ask, one, restart, kept, on } = relays('relay')
  kept.keep(on, [server('n0')], restart)
  await vi.advanceTimersByTimeAsync(HOUR_MS - 1)
  expect(ask).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(one.setConfiguration).toHaveBeenLastCalledWith({ iceServers: [server('n1')] })
  expect(restart).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(one.setConfiguration).toHaveBeenLastCalledWith({ iceServers: [server('n2')] })
  kept.stop()
  await vi.advanceTimersByTimeAsync(4 * HOUR_MS)
  expect(ask).toHaveBeenCalledTimes(2)
})

test('what goes by no relay is not moved, and a request that fails is made again soon', async () => {
  const { ask, one, restart, kept, on } = relays('host')
  ask.mockRejectedValueOnce(new Error('no network'))
  kept.keep(on, [server('n0')], restart)
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(one.setConfiguration).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(one.setConfiguration).toHaveBeenCalledTimes(1)
  expect(restart).not.toHaveBeenCalled()
})

test('where there is no relay nothing is ever asked', async () => {
  const { ask, restart, kept, on } = relays('relay')
  kept.keep(on, [], restart)
  await kept.refresh(on)
  await vi.advanceTimersByTimeAsync(24 * HOUR_MS)
  expect(ask).not.toHaveBeenCalled()
})
