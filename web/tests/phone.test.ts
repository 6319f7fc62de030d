import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import { BrowserPhone } from '../src/state/phone'

/** As much of a peer connection as the phone asks of one; it is connected as soon as it has an answer. */
class Connection extends EventTarget {
  static all: Connection[] = []
  connectionState = 'new'
  localDescription = { sdp: 'v=0 offer' }
  sender = {
    replaceTrack: vi.fn(async () => {}),
    getParameters: () => ({ codecs: [], encodings: [] }),
  }
  constructor() {
    super()
    Connection.all.push(this)
  }
  addTransceiver = () => ({ sender: this.sender, setCodecPreferences: () => {} })
  createOffer = async () => ({})
  setLocalDescription = async () => {}
  setRemoteDescription = async () => {
    this.connectionState = 'connected'
  }
  close = vi.fn()
}

const track = () => ({ enabled: true, readyState: 'live', stop: vi.fn(), addEventListener() {} })

function phone() {
  const mine = track()
  const microphone = { getAudioTracks: () => [mine], getTracks: () => [mine] }
  const getUserMedia = vi.fn(async () => microphone)
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia } })
  const state = { now: 'up' }
  const api = {
    ice: async () => ({ ice_servers: [] }),
    phone: vi.fn(async () => ({ state: state.now })),
    phoneOffer: vi.fn(async (_sdp: string, _tab: string, here: boolean) => {
      if (state.now === 'elsewhere' && !here)
        throw new Refused(409, 'phone_elsewhere', ['phone_elsewhere'], '')
      state.now = 'up'
      return { sdp: 'v=0 answer', send_codec: 'opus' }
    }),
    phoneEnd: async () => null,
  }
  const kept = new Map([['undertone.tab', 'one']])
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: vi.fn() }
  return { one: new BrowserPhone(api as never, storage), api, state, mine, getUserMedia }
}

beforeEach(() => {
  vi.useFakeTimers()
  Connection.all = []
  vi.stubGlobal('RTCPeerConnection', Connection)
  // Nothing is measured here.
  vi.stubGlobal(
    'AudioContext',
    class {
      close = async () => {}
    },
  )
  vi.stubGlobal('AnalyserNode', class {})
  vi.stubGlobal(
    'MediaStreamAudioSourceNode',
    class {
      connect() {}
    },
  )
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs: [] }) })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a phone that another page takes', () => {
  test('is gone here at once, with the microphone, and is asked for by this page’s name', async () => {
    const { one, api, state, mine } = phone()
    await one.ready()
    await one.prepare()
    one.open(true)
    expect(one.get()).toMatchObject({ phase: 'up', microphone: 'on' })
    state.now = 'elsewhere'
    one.told({ state: 'elsewhere' })
    await vi.advanceTimersByTimeAsync(0)
    expect(api.phone).toHaveBeenCalledWith('one')
    expect(one.get()).toMatchObject({ phase: 'elsewhere', microphone: 'off' })
    expect(mine.stop).toHaveBeenCalled()
    expect(Connection.all[0]?.close).toHaveBeenCalled()
  })

  test('what was told before this page took it back is old, and drops nothing', async () => {
    const { one } = phone()
    await one.ready(true)
    one.told({ state: 'elsewhere' })
    await vi.advanceTimersByTimeAsync(0)
    expect(one.get().phase).toBe('up')
    expect(Connection.all[0]?.close).not.toHaveBeenCalled()
  })

  test('a page that never had one is told nothing', async () => {
    const { one, api } = phone()
    one.told({ state: 'elsewhere' })
    await vi.advanceTimersByTimeAsync(0)
    expect(api.phone).not.toHaveBeenCalled()
    expect(one.get().phase).toBe('off')
  })

  test('nobody is spoken to from a page whose phone is elsewhere, and it can be taken back', async () => {
    const { one, state, getUserMedia } = phone()
    await one.ready()
    state.now = 'elsewhere'
    one.told({ state: 'elsewhere' })
    await vi.advanceTimersByTimeAsync(0)
    await expect(one.prepare()).rejects.toMatchObject({ code: 'phone_elsewhere' })
    expect(getUserMedia).not.toHaveBeenCalled()
    await expect(one.ready()).rejects.toMatchObject({ code: 'phone_elsewhere' })
    await one.ready(true)
    await one.prepare()
    one.open(true)
    expect(one.get()).toMatchObject({ phase: 'up', microphone: 'on' })
  })
})
