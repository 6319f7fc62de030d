import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import type { Supervision } from '../src/api/types'
import { LiveBoard } from '../src/state/board'
import { AudioPanel, type HearOn } from '../src/state/panel'
import { call, supervision } from './fixtures'

const DESK: HearOn = { kind: 'sip', uri: 'sip:2001', name: '2001' }

/** Answers that a test gives when it likes. */
function later<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]))
  return { promise, resolve, reject }
}

const kept = () => {
  const map = new Map<string, string>()
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  }
}

function stage() {
  const voice = {
    ready: vi.fn(async () => {}),
    speak: vi.fn(async () => {}),
    pause: vi.fn(),
    tune: vi.fn(async () => {}),
  }
  const board = new LiveBoard()
  board.snapshot([call('c1')], [], [], 0)
  const api = {
    supervise: vi.fn(async () => supervision()),
    supervision: vi.fn(async () => supervision()),
    stream: vi.fn(),
    change: vi.fn(async (_id: string, change: { mode?: Supervision['mode'] }) =>
      supervision({ mode: change.mode ?? 'listen', version: 2 }),
    ),
    leave: vi.fn(async () => {}),
    agentAction: vi.fn(async () => supervision({ version: 3 })),
    phone: vi.fn(),
    call: vi.fn(async () => call('c1', { state: 'ended', end_reason: 'customer_left' })),
  }
  const storage = kept()
  const panel = new AudioPanel(api as never, board, { play: async () => {} }, voice, storage)
  return { board, api, panel, storage, voice }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the panel', () => {
  test('the mode moves on the server’s word alone, and a wish is shown meanwhile', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    const answer = later<Supervision>()
    api.change.mockReturnValueOnce(answer.promise)
    const switching = panel.change({ mode: 'whisper' })
    expect(panel.get()).toMatchObject({ wanted: 'whisper', supervision: { mode: 'listen' } })
    answer.resolve(supervision({ mode: 'whisper', version: 2 }))
    await switching
    expect(panel.get()).toMatchObject({ wanted: null, supervision: { mode: 'whisper' } })
  })

  test('a refused change goes back and keeps the reasons', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    api.change.mockRejectedValueOnce(new Refused(409, 'no_customer', ['no_customer'], 'none'))
    await panel.change({ mode: 'takeover' })
    expect(panel.get()).toMatchObject({ wanted: null, supervision: { mode: 'listen' } })
    expect(panel.get().problem?.reasons).toEqual(['no_customer'])
  })

  test('of two wishes the later counts, whichever answer comes first', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    const slow = later<Supervision>()
    api.change.mockReturnValueOnce(slow.promise)
    const first = panel.change({ mode: 'barge' })
    await panel.change({ mode: 'whisper' })
    slow.reject(new Refused(409, 'superseded', ['superseded'], ''))
    await first
    expect(panel.get()).toMatchObject({ problem: null, supervision: { mode: 'whisper' } })
  })

  test('Esc within the guard cancels and says so; after it, it is merely back to listen', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    const barge = supervision({ mode: 'barge', version: 2, guard_ms: 250 })
    api.change.mockResolvedValueOnce(barge)
    await panel.change({ mode: 'barge' })
    vi.advanceTimersByTime(100)
    api.change.mockResolvedValueOnce(supervision({ version: 3 }))
    expect(panel.escape(Date.now())).toBe('listen')
    await vi.advanceTimersByTimeAsync(0)
    expect(panel.get()).toMatchObject({ cancelled: true, supervision: { mode: 'listen' } })

    api.change.mockResolvedValueOnce({ ...barge, version: 4 })
    await panel.change({ mode: 'barge' })
    vi.advanceTimersByTime(1_000)
    api.change.mockResolvedValueOnce(supervision({ version: 5 }))
    panel.escape(Date.now())
    await vi.advanceTimersByTimeAsync(0)
    expect(panel.get().cancelled).toBe(false)
  })

  test('Esc twice leaves, once in a takeover asks', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    expect(panel.escape(10_000)).toBe('nothing')
    expect(panel.escape(10_200)).toBe('leave')
    await vi.advanceTimersByTimeAsync(0)
    expect(panel.get().phase).toBe('closed')
    expect(api.leave).toHaveBeenCalledWith('s1')
    api.supervise.mockResolvedValueOnce(supervision({ mode: 'takeover' }))
    await panel.open('c1', DESK, { mode: 'takeover' })
    expect(panel.escape(50_000)).toBe('ask')
  })

  test('what opens after one has left is left again', async () => {
    const { panel, api } = stage()
    const answer = later<Supervision>()
    api.supervise.mockReturnValueOnce(answer.promise)
    const opening = panel.open('c1', DESK, { mode: 'whisper' })
    await panel.leave()
    answer.resolve(supervision())
    await opening
    expect(panel.get().phase).toBe('closed')
    expect(api.leave).toHaveBeenCalledWith('s1')
  })

  test('the call’s end ends the panel with a summary, not with an error', async () => {
    const { panel, board } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    board.snapshot([], [], [], 1)
    await vi.advanceTimersByTimeAsync(0)
    expect(panel.get()).toMatchObject({
      phase: 'ended',
      end_reason: 'customer_left',
      problem: null,
    })
  })

  test('in the browser the microphone is silent while a change is asked for', async () => {
    const { panel, api, voice } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    expect(voice.speak).not.toHaveBeenCalled()
    const answer = later<Supervision>()
    api.change.mockReturnValueOnce(answer.promise)
    const switching = panel.change({ mode: 'barge' })
    await vi.advanceTimersByTimeAsync(0)
    const order = (mock: { mock: { invocationCallOrder: number[] } }) =>
      mock.mock.invocationCallOrder.at(-1) ?? 0
    expect(order(voice.pause)).toBeLessThan(order(api.change))
    expect(order(voice.speak)).toBeLessThan(order(voice.pause))
    answer.resolve(supervision({ mode: 'barge', version: 2 }))
    await switching
    expect(order(voice.speak)).toBeGreaterThan(order(api.change))
  })

  test('without a microphone a whisper begins as listening, and says what is missing', async () => {
    const { panel, api, voice } = stage()
    voice.speak.mockRejectedValueOnce(new Refused(0, 'microphone_denied', [], ''))
    await panel.open('c1', { kind: 'phone' }, { mode: 'whisper' })
    await vi.advanceTimersByTimeAsync(0)
    expect(api.supervise).toHaveBeenCalledWith('c1', { mode: 'listen', leg: { kind: 'phone' } })
    expect(panel.get()).toMatchObject({ phase: 'live', problem: { code: 'microphone_denied' } })
  })

  test('after a reload the running supervision is found again', async () => {
    const { panel, api, board, storage, voice } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    const again = new AudioPanel(api as never, board, { play: async () => {} }, voice, storage)
    api.supervision.mockResolvedValueOnce(supervision({ mode: 'barge', version: 7 }))
    await again.restore()
    expect(again.get()).toMatchObject({ phase: 'live', supervision: { mode: 'barge' } })
  })

  test('a mode that the server lowers by itself takes the microphone along, and says why until it is read', async () => {
    const { panel, board, voice } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    await panel.change({ mode: 'whisper' })
    voice.pause.mockClear()
    const fell = supervision({ mode: 'listen', version: 3, fell_because: 'control_lost' })
    board.call(call('c1', { supervisions: [fell] }), 1)
    expect(panel.get().supervision).toMatchObject({ mode: 'listen', fell_because: 'control_lost' })
    expect(voice.pause).toHaveBeenCalledTimes(1)
    panel.fellSeen()
    expect(panel.get().fell_seen).toBe(3)
  })

  test('a hand-back takes the microphone along', async () => {
    const { panel, api, voice } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    await panel.change({ mode: 'takeover' })
    voice.pause.mockClear()
    api.agentAction.mockResolvedValueOnce(supervision({ mode: 'listen', version: 3 }))
    await panel.agent('hand_back')
    expect(voice.pause).toHaveBeenCalledTimes(1)
  })
})
