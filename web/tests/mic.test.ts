import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MicMeter } from '../src/state/mic'
import { CLOSED, type Panel } from '../src/state/panel'
import type { PhoneState } from '../src/state/phone'
import { Store } from '../src/state/store'
import type { Mode } from '../src/api/types'
import { supervision } from './fixtures'

const UP: PhoneState = { phase: 'up', microphone: 'on', problem: null, level: 0, callId: 'c1' }

function at(mode: Mode, still = false) {
  const live: Panel = {
    ...CLOSED,
    phase: 'live',
    hearOn: { kind: 'phone' },
    supervision: supervision({ mode }),
  }
  const panel = new Store(live)
  const phone = new Store(UP)
  const said = { level: 0.001 as number | null }
  const asked = vi.fn(() => said.level)
  const mic = new MicMeter({ panel, phone, level: asked, still: () => still })
  panel.update((p) => ({ ...p })) // as if it had just become so
  const word = () => mic.get().word
  return { panel, phone, said, asked, mic, word }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the microphone’s meter', () => {
  test('says that one is heard by it while one speaks, and through the pauses of a voice', () => {
    const { said, mic, word } = at('whisper')
    vi.advanceTimersByTime(500)
    expect(word()).toBe('open')
    said.level = 0.3
    vi.advanceTimersByTime(100)
    expect(mic.get()).toEqual({ word: 'speaking', level: 0.3 })
    said.level = 0.001
    vi.advanceTimersByTime(1_500)
    expect(word()).toBe('speaking')
    vi.advanceTimersByTime(1_000)
    expect(word()).toBe('open')
  })

  test('one that gives nothing at all is dead, and lives again with the first sound', () => {
    const { said, word } = at('barge')
    said.level = 0
    vi.advanceTimersByTime(3_500)
    expect(word()).toBe('open')
    vi.advanceTimersByTime(1_000)
    expect(word()).toBe('dead')
    said.level = 0.0005
    vi.advanceTimersByTime(100)
    expect(word()).toBe('open')
  })

  test('shut by the key or muted at the server it is neither open nor dead', () => {
    const { phone, panel, said, word } = at('barge')
    said.level = 0
    phone.set({ ...UP, microphone: 'paused' })
    vi.advanceTimersByTime(60_000)
    expect(word()).toBe('shut')
    phone.set(UP)
    vi.advanceTimersByTime(100)
    expect(word()).toBe('open')
    said.level = 0.3
    panel.update((p) => ({ ...p, supervision: supervision({ mode: 'barge', muted: true }) }))
    vi.advanceTimersByTime(200)
    expect(word()).toBe('muted')
  })

  test('who only listens has no meter, nor who speaks by a desk phone; and nothing is measured', () => {
    const { asked, word, panel } = at('listen')
    panel.update((p) => ({
      ...p,
      supervision: supervision({ mode: 'barge' }),
      hearOn: { kind: 'sip', uri: 'sip:1', name: '1' },
    }))
    vi.advanceTimersByTime(5_000)
    expect([word(), asked.mock.calls.length, vi.getTimerCount()]).toEqual(['none', 0, 0])
  })

  test('back in listen it is put away', () => {
    const { panel, mic } = at('whisper')
    panel.update((p) => ({ ...p, supervision: supervision({ mode: 'listen', version: 2 }) }))
    expect([mic.get(), vi.getTimerCount()]).toEqual([{ word: 'none', level: 0 }, 0])
  })

  test('where less motion is asked for it moves once a second', () => {
    const count = (still: boolean) => {
      const { asked } = at('whisper', still)
      vi.advanceTimersByTime(10_050)
      vi.clearAllTimers()
      return asked.mock.calls.length
    }
    expect([count(true), count(false)]).toEqual([11, 101])
  })
})
