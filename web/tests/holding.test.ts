import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Aside, PushToTalk } from '../src/state/holding'

function microphone(wanted: boolean) {
  let open = false
  let choice = wanted
  const inner = {
    ready: vi.fn(async () => {}),
    tune: vi.fn(async () => {}),
    prepare: vi.fn(async () => void (open = false)),
    speak: vi.fn(async () => void (open = true)),
    pause: vi.fn(() => void (open = false)),
  }
  const talk = new PushToTalk(inner, () => choice)
  return {
    inner,
    talk,
    isOpen: () => open,
    choose: (now: boolean) => ((choice = now), talk.chosen()),
  }
}

describe('push-to-talk', () => {
  test('opens the microphone while the key is down, and at no other time', async () => {
    const { talk, isOpen, inner } = microphone(true)
    await talk.speak()
    expect([isOpen(), inner.speak.mock.calls.length]).toEqual([false, 0])
    expect(talk.hold(true)).toBe(true)
    expect(isOpen()).toBe(true)
    talk.hold(false)
    expect(isOpen()).toBe(false)
  })

  test('the key opens nothing that the panel has not let be heard', async () => {
    const { talk, isOpen } = microphone(true)
    expect(talk.hold(true)).toBe(false)
    await talk.speak()
    talk.hold(true)
    talk.pause() // the mode changes under the key
    expect(isOpen()).toBe(false)
    talk.hold(false)
    await talk.speak()
    expect(isOpen()).toBe(false)
  })

  test('a key that is down over a change of mode speaks again when the mode is in force', async () => {
    const { talk, isOpen } = microphone(true)
    await talk.speak()
    talk.hold(true)
    talk.pause()
    await talk.speak()
    expect(isOpen()).toBe(true)
  })

  test('not chosen it changes nothing; given up while one speaks, the microphone opens', async () => {
    const { talk, isOpen, choose, inner } = microphone(false)
    await talk.speak()
    expect(isOpen()).toBe(true)
    expect(inner.speak).toHaveBeenCalledTimes(1)
    expect(talk.hold(true)).toBe(false)
    choose(true)
    expect(isOpen()).toBe(false)
    choose(false)
    expect(isOpen()).toBe(true)
  })

  test('without a microphone it is refused at once, not at the first press', async () => {
    const { talk, inner } = microphone(true)
    inner.prepare.mockRejectedValueOnce(new Error('denied'))
    await expect(talk.speak()).rejects.toThrow('denied')
    expect(talk.hold(true)).toBe(false)
  })
})

describe('the aside', () => {
  let mode = 'barge'
  const asked: object[] = []
  let answer = async (_: { mode?: string }) => {}
  const panel = {
    get mode() {
      return mode as 'barge'
    },
    change: vi.fn(async (change: { mode?: string }) => {
      asked.push(change)
      await answer(change)
      if (change.mode) mode = change.mode
    }),
  }
  beforeEach(() => {
    mode = 'barge'
    asked.length = 0
    answer = async () => {}
  })

  test('is a whisper while the key is down, and then one is back, muted', async () => {
    const aside = new Aside(panel as never)
    expect(aside.press()).toBe(true)
    await aside.release()
    expect(asked).toEqual([
      { mode: 'whisper', muted: false },
      { mode: 'barge', muted: true },
    ])
    expect(aside.held).toBe(false)
  })

  test('a key that goes up before the answer waits for it, so that the wishes cannot cross', async () => {
    let done = () => {}
    answer = () => new Promise<void>((resolve) => (done = resolve))
    const aside = new Aside(panel as never)
    aside.press()
    const released = aside.release()
    await Promise.resolve()
    expect(asked.length).toBe(1)
    answer = async () => {}
    done()
    await released
    expect(asked.length).toBe(2)
  })

  test('outside barge there is none, and a refused one changes nothing', async () => {
    const aside = new Aside(panel as never)
    mode = 'takeover'
    expect(aside.press()).toBe(false)
    mode = 'barge'
    panel.change.mockClear()
    panel.change.mockImplementationOnce(async () => {})
    const refused = new Aside(panel as never)
    refused.press()
    await refused.release()
    expect(panel.change).toHaveBeenCalledTimes(1)
  })
})
