import { expect, test, vi } from 'vitest'
import { ModeClick } from '../src/state/click'
import { CLOSED, type HearOn, type Panel } from '../src/state/panel'
import { Store } from '../src/state/store'
import { supervision } from './fixtures'

function stage(hearOn: HearOn = { kind: 'phone' }) {
  const panel = new Store<Panel>(CLOSED)
  const click = vi.fn()
  new ModeClick(panel, click)
  const live = (change: Partial<Panel>) =>
    panel.set({ ...CLOSED, phase: 'live', hearOn, ...change })
  return { click, live, panel }
}

test('it clicks when another mode is in force, not when one is wished or the supervision begins', () => {
  const { click, live } = stage()
  live({ supervision: supervision({ mode: 'listen' }) })
  live({ supervision: supervision({ mode: 'listen' }), wanted: 'whisper' })
  expect(click).toHaveBeenCalledTimes(0)
  live({ supervision: supervision({ mode: 'whisper', version: 2 }) })
  expect(click).toHaveBeenCalledTimes(1)
  live({ supervision: supervision({ mode: 'whisper', version: 3, muted: true }) })
  expect(click).toHaveBeenCalledTimes(1)
  live({ supervision: supervision({ mode: 'listen', version: 4 }) })
  expect(click).toHaveBeenCalledTimes(2)
})

test('another supervision is no change of mode, and at a desk phone the ear is elsewhere', () => {
  const { click, live } = stage()
  live({ supervision: supervision({ mode: 'whisper' }) })
  live({ supervision: supervision({ id: 's2', mode: 'listen' }) })
  expect(click).not.toHaveBeenCalled()
  const desk = stage({ kind: 'sip', uri: 'sip:2001', name: '2001' })
  desk.live({ supervision: supervision({ mode: 'listen' }) })
  desk.live({ supervision: supervision({ mode: 'barge', version: 2 }) })
  expect(desk.click).not.toHaveBeenCalled()
})
