import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import type { Supervision } from '../src/api/types'
import { LiveBoard, STALE_MS } from '../src/state/board'
import { IDLE_MS, Microphone, lacking } from '../src/state/microphone'
import { AudioPanel } from '../src/state/panel'
import type { PhoneState } from '../src/state/phone'
import { parse, type Preferences } from '../src/state/preferences'
import { Store } from '../src/state/store'
import { call, party, supervision } from './fixtures'

/** The browser's leg without a browser: whether its microphone is there, and whether it is open. */
class Leg extends Store<PhoneState> {
  open = (wished: boolean) => {
    if (wished === this.isOpen) return
    this.isOpen = wished
    this.log.push(wished ? 'open' : 'shut')
  }
  isOpen = false
  log: string[] = []
  ready = vi.fn(async () => {})
  tune = vi.fn(async () => {})
  close = vi.fn(async () => {})
  rest = vi.fn(() => this.update((now) => ({ ...now, microphone: 'off' })))
  prepare = vi.fn(async () => {
    this.log.push('prepare')
    this.update((now) => ({ ...now, microphone: 'paused' }))
  })
}

function stage() {
  const phone = new Leg({
    phase: 'up',
    microphone: 'off',
    problem: null,
    level: 0,
    callId: null,
  })
  const board = new LiveBoard()
  board.snapshot([call('c1')], [], [], 0)
  let version = 1
  const api = {
    supervise: vi.fn(async (_: string, start: { mode: Supervision['mode'] }) =>
      supervision({ mode: start.mode }),
    ),
    supervision: vi.fn(async () => supervision()),
    stream: vi.fn(),
    change: vi.fn(async (_: string, change: Partial<Supervision>) => {
      phone.log.push(`asked ${phone.isOpen}`)
      const { mode, muted } = panel.get().supervision ?? supervision()
      return supervision({ mode, muted, ...change, version: ++version })
    }),
    leave: vi.fn(async () => void phone.log.push(`left ${phone.isOpen}`)),
    agentAction: vi.fn(async () => {
      phone.log.push(`handed back ${phone.isOpen}`)
      return supervision({ mode: 'listen', version: ++version })
    }),
    phone: vi.fn(),
    call: vi.fn(async () => call('c1', { state: 'ended', end_reason: 'hung_up' })),
  }
  const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} }
  const panel = new AudioPanel(api as never, board, { play: async () => {} }, phone, storage)
  const preferences = new Store<Preferences>(parse(null))
  const me = 'ana'
  const microphone = new Microphone({ panel, phone, board, preferences, me: () => me })
  const raise = async (mode: 'whisper' | 'barge' | 'takeover') => {
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    await panel.change({ mode })
    phone.log.length = 0
    expect(phone.isOpen).toBe(true)
  }
  const told = (change: Partial<Supervision>) =>
    board.snapshot(
      [call('c1', { supervisions: [supervision({ version: ++version, ...change })] })],
      [],
      [],
      0,
    )
  return { api, board, microphone, panel, phone, preferences, raise, told }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the microphone', () => {
  test('is shut while a mode is asked for, and open when the server says that it is in force', async () => {
    const { panel, phone } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    expect([phone.isOpen, phone.prepare.mock.calls.length]).toEqual([false, 0])
    await panel.change({ mode: 'whisper' })
    await panel.change({ mode: 'barge' })
    expect(phone.log).toEqual([
      'prepare',
      'asked false',
      'open',
      'shut',
      'prepare',
      'asked false',
      'open',
    ])
  })

  test.each(['whisper', 'barge', 'takeover'] as const)(
    'out of %s it is shut before leaving is asked for, and stays shut',
    async (mode) => {
      const { panel, phone, raise } = stage()
      await raise(mode)
      await panel.leave()
      expect(phone.log).toEqual(['shut', 'left false'])
      await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
      expect(phone.isOpen).toBe(false)
    },
  )

  test('stays shut when leaving is refused, and opens at one’s own wish alone', async () => {
    const { api, panel, phone, raise } = stage()
    await raise('barge')
    api.leave.mockRejectedValueOnce(new Refused(500, 'internal', [], ''))
    await panel.leave()
    expect([panel.get().phase, phone.isOpen]).toEqual(['live', false])
    await panel.change({ muted: false })
    expect(phone.isOpen).toBe(true)
  })

  test('is shut with the end of the call, of the supervision, and when the server lets one only listen', async () => {
    for (const over of [
      ({ board }) => board.snapshot([], [], [], 9),
      ({ told }) => told({ mode: 'barge', state: 'ended', end_reason: 'control_lost' }),
      ({ told }) => told({ mode: 'listen' }),
    ] satisfies ((here: ReturnType<typeof stage>) => void)[]) {
      const here = stage()
      await here.raise('barge')
      over(here)
      await vi.advanceTimersByTimeAsync(0)
      expect(here.phone.isOpen).toBe(false)
    }
  })

  test('is shut before a hand-back is asked for, and stays shut after it', async () => {
    const { panel, phone, raise } = stage()
    await raise('takeover')
    expect(await panel.agent('hand_back')).toBe(true)
    expect(phone.log).toEqual(['shut', 'handed back false'])
  })

  test('after a change that was refused it is what the mode in force says', async () => {
    const { api, panel, phone, raise } = stage()
    await raise('whisper')
    api.change.mockRejectedValueOnce(new Refused(409, 'takeover_taken', [], ''))
    await panel.change({ mode: 'barge' })
    expect([panel.mode, phone.isOpen]).toEqual(['whisper', true])
    api.agentAction.mockRejectedValueOnce(new Refused(409, 'agent_gone', [], ''))
    await panel.agent('hand_back')
    expect(phone.isOpen).toBe(true)
  })

  test('muted is muted here, at once, also when the server cannot be told', async () => {
    const { api, panel, phone, raise } = stage()
    await raise('barge')
    api.change.mockRejectedValueOnce(new Refused(0, 'unreachable', [], ''))
    await panel.change({ muted: true })
    expect([phone.isOpen, panel.get().silent]).toEqual([false, true])
    await panel.change({ muted: true })
    expect(phone.log.filter((one) => one !== 'shut')).toEqual(['asked false'])
    await panel.change({ mode: 'whisper' })
    expect(phone.isOpen).toBe(false)
    await panel.change({ muted: false })
    expect(phone.isOpen).toBe(true)
  })

  test('of one who was raised by another client it opens too, and is asked for once', async () => {
    const { panel, phone, told } = stage()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    told({ mode: 'barge' })
    await vi.advanceTimersByTimeAsync(0)
    expect([phone.isOpen, phone.prepare.mock.calls.length]).toEqual([true, 1])
  })

  test('is let go when nobody needs it for a while', async () => {
    const { panel, phone, raise } = stage()
    await raise('whisper')
    await panel.leave()
    await vi.advanceTimersByTimeAsync(IDLE_MS - 1)
    expect(phone.rest).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(phone.rest).toHaveBeenCalledTimes(1)
    expect(lacking(phone.get())).toBe('microphone')
  })

  test('does not care for any other preference', async () => {
    const { preferences, phone, raise } = stage()
    await raise('barge')
    preferences.update((now) => ({ ...now, volume: 0.3 }))
    expect(phone.log).toEqual([])
  })
})

describe('push-to-talk', () => {
  const chosen = async () => {
    const here = stage()
    here.preferences.update((now) => ({ ...now, pushToTalk: true }))
    return here
  }

  test('opens the microphone while the key is down and one is to be heard, and at no other time', async () => {
    const { microphone, panel, phone } = await chosen()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    expect([microphone.hold(true), phone.isOpen]).toEqual([false, false])
    await panel.change({ mode: 'whisper' })
    expect(phone.isOpen).toBe(false)
    expect([microphone.hold(true), phone.isOpen]).toEqual([true, true])
    microphone.hold(false)
    expect(phone.isOpen).toBe(false)
    microphone.hold(true)
    await panel.leave()
    expect([phone.isOpen, microphone.hold(true)]).toEqual([false, false])
  })

  test('a key that is down over a change of mode speaks again when the mode is in force', async () => {
    const { microphone, panel, phone } = await chosen()
    await panel.open('c1', { kind: 'phone' }, { mode: 'listen' })
    await panel.change({ mode: 'whisper' })
    microphone.hold(true)
    phone.log.length = 0
    await panel.change({ mode: 'barge' })
    expect(phone.log).toEqual(['shut', 'prepare', 'asked false', 'open'])
  })

  test('chosen or given up while one speaks, it holds at once', async () => {
    const { phone, preferences, raise } = stage()
    await raise('whisper')
    preferences.update((now) => ({ ...now, pushToTalk: true }))
    expect(phone.isOpen).toBe(false)
    preferences.update((now) => ({ ...now, pushToTalk: false }))
    expect(phone.isOpen).toBe(true)
  })
})

describe('in one’s own call', () => {
  const own = (connected: boolean, state = 'talking') => {
    const ana = { ...party('p2', 'agent', 'Ana', 'internal'), person_id: 'ana', connected }
    return call('c1', { state, parties: [party('p1', 'customer', 'Jane', 'external'), ana] })
  }

  test('it is open from when one is connected to the end, and shut when muted, and after it', () => {
    const { board, microphone, phone } = stage()
    phone.update((now) => ({ ...now, microphone: 'paused', callId: 'c1' }))
    board.snapshot([own(false, 'ringing')], [], [], 1)
    expect(phone.isOpen).toBe(false)
    board.snapshot([own(true)], [], [], 2)
    expect([phone.isOpen, microphone.ownCall]).toEqual([true, 'c1'])
    microphone.mute(true)
    expect(phone.isOpen).toBe(false)
    microphone.mute(false)
    expect(phone.isOpen).toBe(true)
    board.snapshot([], [], [], 3)
    expect(phone.isOpen).toBe(false)
  })

  test('after it nothing is sent, though the leg is not yet told to be free; the next begins unmuted', () => {
    const { board, microphone, phone } = stage()
    phone.update((now) => ({ ...now, microphone: 'paused', callId: 'c1' }))
    board.snapshot([own(true)], [], [], 1)
    microphone.mute(true)
    board.snapshot([{ ...own(true), state: 'ended' }], [], [], 2)
    expect(phone.isOpen).toBe(false)
    phone.update((now) => ({ ...now, callId: 'c2' }))
    board.snapshot([{ ...own(true), id: 'c2' }], [], [], 3)
    expect(phone.isOpen).toBe(true)
  })
})

describe('while the live data is old', () => {
  test('nothing is sent by a supervision, and it is again once the server is heard', async () => {
    const { board, phone, raise } = stage()
    await raise('barge')
    board.heard()
    await vi.advanceTimersByTimeAsync(STALE_MS - 1)
    expect(phone.isOpen).toBe(true)
    await vi.advanceTimersByTimeAsync(1)
    expect(phone.isOpen).toBe(false)
    board.heard()
    expect(phone.isOpen).toBe(true)
  })

  test('each word of the server puts it off', async () => {
    const { board, phone, raise } = stage()
    await raise('whisper')
    for (let n = 0; n < 4; n++) {
      board.heard()
      await vi.advanceTimersByTimeAsync(STALE_MS / 2)
    }
    expect(phone.isOpen).toBe(true)
    await vi.advanceTimersByTimeAsync(STALE_MS / 2)
    expect(phone.isOpen).toBe(false)
  })

  test('one’s own call goes on: it needs no board', async () => {
    const { board, phone } = stage()
    phone.update((now) => ({ ...now, microphone: 'paused', callId: 'c1' }))
    const ana = { ...party('p2', 'agent', 'Ana', 'internal'), person_id: 'ana', connected: true }
    board.snapshot(
      [
        call('c1', {
          state: 'talking',
          parties: [party('p1', 'customer', 'Jane', 'external'), ana],
        }),
      ],
      [],
      [],
      1,
    )
    expect(phone.isOpen).toBe(true)
    await vi.advanceTimersByTimeAsync(3 * STALE_MS)
    expect(phone.isOpen).toBe(true)
  })
})
