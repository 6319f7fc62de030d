import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CHECK_MS, HeadsetCheck } from '../src/state/headset'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function stage() {
  let level = 0
  const close = vi.fn()
  const ears = {
    open: vi.fn(async (_: string) => ({ level: () => level, close })),
    microphones: vi.fn(async () => [{ id: 'm1', name: 'Headset' }]),
    tone: vi.fn(async () => {}),
  }
  return { ears, close, speak: (now: number) => (level = now), check: new HeadsetCheck(ears) }
}

describe('the headset check', () => {
  test('hears a voice, and after ten seconds lets the microphone go', async () => {
    const { check, speak, close } = stage()
    await check.begin()
    expect(check.get()).toMatchObject({ phase: 'speaking', microphones: [{ name: 'Headset' }] })
    speak(0.2)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(check.get()).toMatchObject({ phase: 'heard', level: 0.2 })
    expect(close).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(CHECK_MS)
    expect(check.get()).toMatchObject({ phase: 'heard', level: 0 })
    expect(close).toHaveBeenCalledTimes(1)
  })

  test('a knock is no voice, and ten seconds of nothing are silence', async () => {
    const { check, speak, close } = stage()
    await check.begin()
    speak(0.9)
    await vi.advanceTimersByTimeAsync(200)
    speak(0)
    await vi.advanceTimersByTimeAsync(CHECK_MS)
    expect(check.get().phase).toBe('silent')
    expect(close).toHaveBeenCalledTimes(1)
  })

  test('is good when the microphone was heard and the tone was', async () => {
    const { check, speak, ears } = stage()
    await check.begin()
    speak(0.2)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(check.good).toBe(false)
    await check.tone()
    expect([ears.tone.mock.calls.length, check.get().tone]).toEqual([1, 'asked'])
    check.answer(false)
    expect(check.good).toBe(false)
    check.answer(true)
    expect(check.good).toBe(true)
  })

  test('a refused microphone and none at all are told apart, and one may try again', async () => {
    const { check, ears } = stage()
    ears.open.mockRejectedValueOnce(Object.assign(new Error(), { name: 'NotAllowedError' }))
    await check.begin()
    expect(check.get().phase).toBe('denied')
    ears.open.mockRejectedValueOnce(Object.assign(new Error(), { name: 'NotFoundError' }))
    await check.begin()
    expect(check.get().phase).toBe('none')
    await check.begin('m1')
    expect(check.get()).toMatchObject({ phase: 'speaking', chosen: 'm1' })
  })

  test('each of the browser’s refusals has its own word', async () => {
    const { check, ears } = stage()
    for (const [name, phase] of [
      ['NotReadableError', 'busy'],
      ['AbortError', 'busy'],
      ['SecurityError', 'insecure'],
      ['SomethingNew', 'denied'],
    ] as const) {
      ears.open.mockRejectedValueOnce(Object.assign(new Error(), { name }))
      await check.begin()
      expect(check.get().phase).toBe(phase)
    }
  })

  test('a chosen microphone that was unplugged gives way to the browser’s choice, and it is said', async () => {
    const { check, ears } = stage()
    const gone = Object.assign(new Error(), { name: 'OverconstrainedError' })
    ears.open.mockRejectedValueOnce(gone)
    await check.begin('m1')
    expect(ears.open.mock.calls).toEqual([['m1'], ['']])
    expect(check.get()).toMatchObject({ phase: 'speaking', chosen: '', lost: true })
    ears.open.mockRejectedValueOnce(gone)
    ears.open.mockRejectedValueOnce(Object.assign(new Error(), { name: 'NotFoundError' }))
    await check.begin('m1')
    expect(check.get()).toMatchObject({ phase: 'none', lost: true })
  })

  test('a microphone that opens after one has left is shut at once', async () => {
    const { check, ears, close } = stage()
    let open = () => {}
    ears.open.mockImplementationOnce(
      () => new Promise((done) => (open = () => done({ level: () => 1, close }))),
    )
    const asking = check.begin()
    check.stop()
    open()
    await asking
    expect(close).toHaveBeenCalledTimes(1)
  })
})
