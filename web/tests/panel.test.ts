import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import type { Supervision } from '../src/api/types'
import { LiveBoard } from '../src/state/board'
import { AudioPanel, type HearOn } from '../src/state/panel'
import { at, call, supervision } from './fixtures'

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
    prepare: vi.fn(async () => {}),
    close: vi.fn(async () => {}),
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

  test('a wish over a listen that opens waits for it, the last of them, and makes no second supervision', async () => {
    const { panel, api } = stage()
    const answer = later<Supervision>()
    api.supervise.mockReturnValueOnce(answer.promise)
    const opening = panel.open('c1', DESK, { mode: 'listen' })
    await panel.open('c1', DESK, { mode: 'barge' })
    await panel.open('c1', DESK, { mode: 'whisper' })
    expect(panel.get()).toMatchObject({ phase: 'opening', wanted: 'whisper' })
    answer.resolve(supervision())
    await opening
    expect(api.supervise).toHaveBeenCalledOnce()
    expect(api.change.mock.calls).toEqual([[expect.anything(), { mode: 'whisper' }]])
    expect(panel.get()).toMatchObject({ wanted: null, supervision: { mode: 'whisper' } })
    expect(api.leave).not.toHaveBeenCalled()
  })

  test('a wish over a listen that opens is taken back by another listen, and by leaving', async () => {
    for (const back of ['listen', 'leave'] as const) {
      const { panel, api } = stage()
      const answer = later<Supervision>()
      api.supervise.mockReturnValueOnce(answer.promise)
      const opening = panel.open('c1', DESK, { mode: 'listen' })
      await panel.open('c1', DESK, { mode: 'whisper' })
      if (back === 'leave') await panel.leave()
      else await panel.open('c1', DESK, { mode: 'listen' })
      answer.resolve(supervision())
      await opening
      expect(api.change).not.toHaveBeenCalled()
      expect(panel.get().phase).toBe(back === 'leave' ? 'closed' : 'live')
    }
  })

  test('a listen does not wait for a whisper that opens: the microphone may be asked for as long as one likes', async () => {
    const { panel, api } = stage()
    const answer = later<Supervision>()
    api.supervise.mockReturnValueOnce(answer.promise)
    const whispering = panel.open('c1', DESK, { mode: 'whisper' })
    await panel.open('c1', DESK, { mode: 'listen' })
    expect(panel.get()).toMatchObject({ phase: 'live', supervision: { mode: 'listen' } })
    answer.resolve(supervision({ id: 's9', mode: 'whisper' }))
    await whispering
    expect(api.leave).toHaveBeenCalledWith('s9')
    expect(panel.get()).toMatchObject({ phase: 'live', supervision: { mode: 'listen' } })
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

  test('back from among all it is said that nothing was heard when the server says so, and only then', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    const raise = (heard: boolean) => ({ last_raise: { mode: 'barge' as const, at: at(9), heard } })
    let version = 1
    for (const [heard, said] of [
      [false, true],
      [true, false],
    ] as const) {
      const barge = { mode: 'barge' as const, guard_ms: 250, ...raise(false) }
      api.change.mockResolvedValueOnce(supervision({ ...barge, version: ++version }))
      await panel.change({ mode: 'barge' })
      expect(panel.get().cancelled).toBe(false)
      api.change.mockResolvedValueOnce(supervision({ version: ++version, ...raise(heard) }))
      panel.escape(version * 10_000)
      await vi.advanceTimersByTimeAsync(0)
      expect(panel.get()).toMatchObject({ cancelled: said, supervision: { mode: 'listen' } })
    }
    // What one does next in listen is no cancelling, whatever the last raise was.
    api.change.mockResolvedValueOnce(
      supervision({ version: ++version, ...raise(false), alert: true }),
    )
    await panel.change({ alert: true })
    expect(panel.get().cancelled).toBe(false)
  })

  test('that Esc cancels is said for as long as the guard, and no longer', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    api.change.mockResolvedValueOnce(supervision({ mode: 'barge', version: 2, guard_ms: 250 }))
    await panel.change({ mode: 'barge' })
    await vi.advanceTimersByTimeAsync(249)
    expect(panel.get().guard_until_ms).not.toBeNull()
    await vi.advanceTimersByTimeAsync(1)
    expect(panel.get().guard_until_ms).toBeNull()
  })

  test('a hand-back within the guard says that nothing was heard, too', async () => {
    const { panel, api } = stage()
    api.supervise.mockResolvedValueOnce(supervision({ mode: 'takeover', guard_ms: 250 }))
    await panel.open('c1', DESK, { mode: 'takeover' })
    const last_raise = { mode: 'takeover' as const, at: at(9), heard: false }
    api.agentAction.mockResolvedValueOnce(supervision({ version: 3, last_raise }))
    await panel.agent('hand_back')
    expect(panel.get()).toMatchObject({ cancelled: true, supervision: { mode: 'listen' } })
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

  test('without a microphone a whisper begins as listening, and says what is missing', async () => {
    const { panel, api, voice } = stage()
    voice.prepare.mockRejectedValueOnce(new Refused(0, 'microphone_denied', [], ''))
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

  test('a mode that the server lowers by itself says why until it is read', async () => {
    const { panel, board } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    await panel.change({ mode: 'whisper' })
    const fell = supervision({ mode: 'listen', version: 3, fell_because: 'control_lost' })
    board.call(call('c1', { supervisions: [fell] }), 1)
    expect(panel.get().supervision).toMatchObject({ mode: 'listen', fell_because: 'control_lost' })
    panel.fellSeen()
    expect(panel.get().fell_seen).toBe(3)
  })
})

describe('leaving', () => {
  test('is done when the server says so; refused, the panel stays and nothing is forgotten', async () => {
    const { panel, api, storage } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    await panel.change({ mode: 'barge' })
    for (const refusal of [
      new Refused(403, 'bad_origin', ['bad_origin'], ''),
      new Refused(0, 'unreachable', [], ''),
      new Refused(503, 'overloaded', ['overloaded'], ''),
    ]) {
      api.leave.mockRejectedValueOnce(refusal)
      expect(await panel.leave()).toBe(false)
      expect(panel.get()).toMatchObject({
        phase: 'live',
        silent: true,
        leaving: false,
        supervision: { mode: 'barge' },
        problem: { code: 'not_left', reasons: [refusal.code] },
      })
      expect(storage.getItem('undertone.panel')).toContain('s1')
    }
    api.leave.mockRejectedValueOnce(new Refused(404, 'no_such_supervision', [], ''))
    expect(await panel.leave()).toBe(true)
    expect(panel.get().phase).toBe('closed')
    expect(storage.getItem('undertone.panel')).toBeNull()
  })

  test('that is refused keeps one from another call', async () => {
    const { panel, api } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    api.leave.mockRejectedValueOnce(new Refused(500, 'internal', [], ''))
    await panel.open('c2', DESK, { mode: 'listen' })
    expect(panel.get()).toMatchObject({ callId: 'c1', problem: { code: 'not_left' } })
    expect(api.supervise).toHaveBeenCalledTimes(1)
  })

  test('in a takeover Esc never does it, however often', async () => {
    const { panel, api } = stage()
    api.supervise.mockResolvedValueOnce(supervision({ mode: 'takeover' }))
    await panel.open('c1', DESK, { mode: 'takeover' })
    expect([panel.escape(1_000), panel.escape(1_100), panel.escape(1_200)]).toEqual([
      'ask',
      'ask',
      'ask',
    ])
    expect(api.leave).not.toHaveBeenCalled()
  })

  test('the last resort hangs up the browser, and goes on until the server has it no more', async () => {
    const { panel, api, voice } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    api.leave.mockRejectedValue(new Refused(0, 'unreachable', [], ''))
    const done = panel.hangUp()
    expect(panel.get().phase).toBe('closed')
    await vi.advanceTimersByTimeAsync(600)
    expect(voice.close).toHaveBeenCalled()
    api.leave.mockResolvedValue()
    await vi.advanceTimersByTimeAsync(5_000)
    await done
    expect(api.leave.mock.calls.length).toBe(3)
  })
})

describe('a wish that was given up', () => {
  test('while the microphone is asked for is not sent when it comes', async () => {
    const { panel, api, voice } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    const allow = later<void>()
    voice.prepare.mockReturnValueOnce(allow.promise)
    const raising = panel.change({ mode: 'barge' })
    expect(panel.escape(10_000)).toBe('listen')
    await vi.advanceTimersByTimeAsync(0)
    allow.resolve()
    await raising
    expect(api.change.mock.calls.map(([, change]) => change.mode)).toEqual(['listen'])
    expect(panel.get()).toMatchObject({ wanted: null, supervision: { mode: 'listen' } })
  })

  test.each(['ready', 'prepare'] as const)(
    'while %s is waited for begins nothing',
    async (wait) => {
      const { panel, api, voice } = stage()
      const come = later<void>()
      voice[wait].mockReturnValueOnce(come.promise)
      const opening = panel.open('c1', { kind: 'phone' }, { mode: 'whisper' })
      await vi.advanceTimersByTimeAsync(0)
      expect(panel.escape(0)).toBe('leave')
      come.resolve()
      await opening
      expect(api.supervise).not.toHaveBeenCalled()
      expect(panel.get().phase).toBe('closed')
    },
  )

  test('a switch of the alert meanwhile does not give it up', async () => {
    const { panel, api, voice } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    const allow = later<void>()
    voice.prepare.mockReturnValueOnce(allow.promise)
    const raising = panel.change({ mode: 'whisper' })
    await panel.change({ alert: true })
    expect(panel.get().wanted).toBe('whisper')
    api.change.mockResolvedValueOnce(supervision({ mode: 'whisper', version: 3 }))
    allow.resolve()
    await raising
    expect(api.change).toHaveBeenLastCalledWith('s1', { mode: 'whisper' })
    expect(panel.get()).toMatchObject({ wanted: null, supervision: { mode: 'whisper' } })
  })
})

describe('what could not be asked', () => {
  test('after a reload is asked again until the server says: a session is not forgotten for a hiccup', async () => {
    const { panel, api, storage } = stage()
    storage.setItem('undertone.panel', JSON.stringify({ id: 's1', callId: 'c1', hearOn: DESK }))
    api.supervision.mockRejectedValueOnce(new Refused(0, 'unreachable', [], ''))
    api.supervision.mockRejectedValueOnce(new Refused(503, 'overloaded', [], ''))
    api.supervision.mockResolvedValueOnce(supervision({ mode: 'takeover' }))
    const restoring = panel.restore()
    await vi.advanceTimersByTimeAsync(0)
    expect(panel.get()).toMatchObject({ phase: 'opening', wanted: null })
    await vi.advanceTimersByTimeAsync(2_000)
    await restoring
    expect(panel.get()).toMatchObject({ phase: 'live', supervision: { mode: 'takeover' } })
  })

  test('what is kept and cannot be read is forgotten', async () => {
    const { panel, storage } = stage()
    storage.setItem('undertone.panel', '{')
    await panel.restore()
    expect(storage.getItem('undertone.panel')).toBeNull()
  })

  test('does not end the panel, and is not asked at each change of the board', async () => {
    const { panel, api, board } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    api.call.mockRejectedValueOnce(new Refused(0, 'unreachable', [], '') as never)
    for (let n = 0; n < 5; n++) board.snapshot([], [], [], n)
    await vi.advanceTimersByTimeAsync(0)
    expect(panel.get().phase).toBe('live')
    expect(api.call).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(2_100)
    expect(panel.get()).toMatchObject({ phase: 'ended', end_reason: 'customer_left' })
  })

  test('a supervision that the call shows no more is over', async () => {
    const { panel, api, board } = stage()
    await panel.open('c1', DESK, { mode: 'listen' })
    board.snapshot([call('c1', { supervisions: [supervision()] })], [], [], 1)
    api.call.mockResolvedValueOnce(call('c1'))
    board.snapshot([call('c1')], [], [], 2)
    await vi.advanceTimersByTimeAsync(0)
    expect(panel.get().phase).toBe('ended')
  })
})
