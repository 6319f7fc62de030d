import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Aside } from '../src/state/holding'

describe('the aside', () => {
  let mode = 'barge'
  const asked: object[] = []
  let answer = async (_: { mode?: string }) => {}
  const panel = {
    get mode() {
      return mode as 'barge'
    },
    turn: 0,
    change: vi.fn(async (change: { mode?: string }) => {
      asked.push(change)
      panel.turn += 1
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

  test('Esc under the key is the last word: letting go puts nobody back among all', async () => {
    let done = () => {}
    answer = () => new Promise<void>((resolve) => (done = resolve))
    const aside = new Aside(panel as never)
    aside.press()
    panel.turn += 1 // Esc
    const released = aside.release()
    done()
    await released
    expect(asked).toEqual([{ mode: 'whisper', muted: false }])
    expect(aside.held).toBe(false)
  })
})
