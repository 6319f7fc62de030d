import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import type { Abilities, Supervision } from '../src/api/types'
import type { App, Dialog } from '../src/state/app'
import { attend, endAndLeave } from '../src/state/attend'
import { LiveBoard, STALE_MS } from '../src/state/board'
import { AudioPanel, type HearOn } from '../src/state/panel'
import { Store } from '../src/state/store'
import { call, supervision } from './fixtures'

function stage(hearOn: HearOn | null = { kind: 'phone' }) {
  const board = new LiveBoard()
  board.snapshot([call('c1'), call('c2')], [], [], 0)
  const api = {
    abilities: vi.fn(async (): Promise<Abilities> => ({})),
    supervise: vi.fn(async (id: string, start: { mode: Supervision['mode'] }) =>
      supervision({ id: `s-${id}`, call_id: id, mode: start.mode }),
    ),
    leave: vi.fn(async () => {}),
    hangUp: vi.fn(async () => {}),
    call: vi.fn(async (id: string) => call(id, { state: 'ended' })),
  }
  const quiet = async () => {}
  const voice = { ready: quiet, prepare: quiet, close: quiet, tune: quiet }
  const kept = { getItem: () => null, setItem: () => {}, removeItem: () => {} }
  const panel = new AudioPanel(api as never, board, { play: quiet }, voice, kept)
  const dialog = new Store<Dialog>({ kind: 'none' })
  const here = (mode: string): HearOn | null => (mode === 'listen' ? { kind: 'phone' } : hearOn)
  const app = { api, board, panel, dialog, hearOn: here } as unknown as App
  return { api, app, board, dialog, panel }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('another call', () => {
  test('for which one has no right costs nothing of what one attends, and it is said why', async () => {
    const { api, app, panel } = stage()
    await attend(app, 'c1', 'whisper')
    api.abilities.mockResolvedValueOnce({
      barge: { allowed: false, reasons: ['never_monitor'] },
    } as Abilities)
    await attend(app, 'c2', 'barge')
    expect(api.leave).not.toHaveBeenCalled()
    expect(api.supervise).toHaveBeenCalledTimes(1)
    expect(panel.get()).toMatchObject({
      callId: 'c1',
      supervision: { mode: 'whisper' },
      problem: { code: 'other_call', reasons: ['never_monitor'] },
    })
  })

  test('of which nothing could be asked costs nothing either', async () => {
    const { api, app, panel } = stage()
    await attend(app, 'c1', 'whisper')
    api.abilities.mockRejectedValueOnce(new Refused(0, 'unreachable', [], ''))
    await attend(app, 'c2', 'listen')
    expect(panel.get()).toMatchObject({ callId: 'c1', problem: { reasons: ['unreachable'] } })
    expect(api.leave).not.toHaveBeenCalled()
  })

  test('that one may have takes the place of the first', async () => {
    const { api, app, panel } = stage()
    await attend(app, 'c1', 'whisper')
    await attend(app, 'c2', 'listen')
    expect(api.leave).toHaveBeenCalledWith('s-c1')
    expect(panel.get()).toMatchObject({ phase: 'live', callId: 'c2' })
  })
})

test('on old data nothing is raised, and listening is', async () => {
  const { api, app, board } = stage()
  board.heard()
  await vi.advanceTimersByTimeAsync(STALE_MS)
  await attend(app, 'c1', 'barge')
  expect(api.supervise).not.toHaveBeenCalled()
  await attend(app, 'c1', 'listen')
  expect(api.supervise).toHaveBeenCalledTimes(1)
})

test('a takeover is asked about, going in and to another call', async () => {
  const { api, app, dialog, panel } = stage()
  await attend(app, 'c1', 'takeover')
  expect(dialog.get()).toEqual({ kind: 'takeover', callId: 'c1' })
  await panel.open('c1', { kind: 'phone' }, { mode: 'takeover' })
  await attend(app, 'c2', 'listen')
  expect(dialog.get()).toEqual({ kind: 'leave', then: { callId: 'c2', mode: 'listen' } })
  await attend(app, 'c1', 'listen')
  expect(dialog.get()).toEqual({ kind: 'hand_back' })
  expect(api.leave).not.toHaveBeenCalled()
})

test('ended with nowhere to go, the panel stays for the wrap-up; on the way elsewhere it is left', async () => {
  const { api, app, panel } = stage()
  await panel.open('c1', { kind: 'phone' }, { mode: 'takeover' })
  expect(await endAndLeave(app, false)).toBe(true)
  expect(api.leave).not.toHaveBeenCalled()
  expect(await endAndLeave(app, true)).toBe(true)
  expect(panel.get().phase).toBe('closed')
  await panel.open('c1', { kind: 'phone' }, { mode: 'takeover' })
  api.hangUp.mockRejectedValueOnce(new Refused(403, 'not_allowed', ['not_allowed'], ''))
  expect(await endAndLeave(app, false)).toBe(false)
  expect(panel.get()).toMatchObject({ phase: 'live', problem: { code: 'not_allowed' } })
})

test('without a phone to speak on one listens at once, and is told what is missing', async () => {
  const { app, panel } = stage(null)
  await attend(app, 'c1', 'whisper')
  expect(panel.get()).toMatchObject({
    supervision: { mode: 'listen' },
    problem: { code: 'needs_phone' },
  })
})
