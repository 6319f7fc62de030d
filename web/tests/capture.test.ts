import { describe, expect, test, vi } from 'vitest'
import { Capture, type Captured } from '../src/state/capture'

/** What a browser gives: tracks that can be shut, and stopped. */
function stream() {
  const heard: Record<string, () => void> = {}
  const track = {
    enabled: true,
    readyState: 'live' as 'live' | 'ended',
    stop: vi.fn(() => void (track.readyState = 'ended')),
    addEventListener: (name: string, act: () => void) => void (heard[name] = act),
    pull: () => {
      track.readyState = 'ended'
      heard['ended']?.()
    },
  }
  return { track, getTracks: () => [track], getAudioTracks: () => [track] }
}
type Fake = ReturnType<typeof stream>

function stage() {
  const asks: { give: (one: Fake) => void; refuse: (name: string) => void; audio: unknown }[] = []
  const states: Captured[] = []
  const sent: unknown[] = []
  const capture = new Capture(
    {
      state: (now) => void states.push(now),
      track: async (track) => void sent.push(track),
    },
    ({ audio }) =>
      new Promise((resolve, reject) => {
        asks.push({
          audio,
          give: (one) => resolve(one as never),
          refuse: (name) => reject(new DOMException('', name)),
        })
      }),
  )
  return { asks, capture, sent, states }
}

describe('the browser’s microphone', () => {
  test('is asked for once, however many want it', async () => {
    const { asks, capture } = stage()
    const both = Promise.all([capture.prepare(), capture.prepare()])
    expect(asks.length).toBe(1)
    asks[0]?.give(stream())
    await both
    await capture.prepare()
    expect(asks.length).toBe(1)
  })

  test('comes shut, unless it is wished open by then: a key that went up meanwhile leaves it shut', async () => {
    const { asks, capture, states } = stage()
    const first = stream()
    const coming = capture.prepare()
    capture.open(true)
    capture.open(false)
    asks[0]?.give(first)
    await coming
    expect([first.track.enabled, states.at(-1)]).toEqual([false, 'paused'])
    capture.open(true)
    expect([first.track.enabled, states.at(-1)]).toEqual([true, 'on'])
    capture.open(false)
    expect([first.track.enabled, states.at(-1)]).toEqual([false, 'paused'])
  })

  test('that was let go while it was asked for is stopped when it comes', async () => {
    const { asks, capture, sent } = stage()
    const late = stream()
    const coming = capture.prepare()
    capture.letGo()
    asks[0]?.give(late)
    await expect(coming).rejects.toMatchObject({ code: 'superseded' })
    expect(late.track.stop).toHaveBeenCalled()
    expect([capture.track, sent]).toEqual([null, []])
  })

  test('let go, it is stopped and no more sent; the next who wants it is given another', async () => {
    const { asks, capture, sent, states } = stage()
    const [first, second] = [stream(), stream()]
    const coming = capture.prepare()
    asks[0]?.give(first)
    await coming
    capture.letGo()
    expect([first.track.readyState, sent.at(-1), states.at(-1)]).toEqual(['ended', null, 'off'])
    const again = capture.prepare()
    asks[1]?.give(second)
    await again
    expect(capture.track).toBe(second.track)
  })

  test('another one that is chosen takes the place of the running one, as open as that was', async () => {
    const { asks, capture, sent } = stage()
    const [first, second] = [stream(), stream()]
    const coming = capture.prepare()
    asks[0]?.give(first)
    await coming
    capture.open(true)
    const choosing = capture.choose('headset')
    asks[1]?.give(second)
    await choosing
    expect(asks[1]?.audio).toMatchObject({ deviceId: 'headset' })
    expect([first.track.readyState, second.track.enabled]).toEqual(['ended', true])
    expect(sent.at(-1)).toBe(second.track)
  })

  test.each([
    ['NotAllowedError', 'microphone_denied'],
    ['NotFoundError', 'microphone_missing'],
    ['NotReadableError', 'microphone_busy'],
    ['SecurityError', 'microphone_insecure'],
  ])('%s is said as %s', async (name, code) => {
    const { asks, capture, states } = stage()
    const coming = capture.prepare()
    asks[0]?.refuse(name)
    await expect(coming).rejects.toMatchObject({ code })
    expect(states.at(-1)).toBe('denied')
  })

  test('unplugged it is gone, and the next wish asks for another', async () => {
    const { asks, capture, states } = stage()
    const first = stream()
    const coming = capture.prepare()
    asks[0]?.give(first)
    await coming
    first.track.pull()
    expect(states.at(-1)).toBe('gone')
    void capture.prepare()
    expect(asks.length).toBe(2)
  })
})
