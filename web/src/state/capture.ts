// The browser's microphone: asked for once, however many want it; open only while that is wished; let go when
// nobody needs it. Knows no call and no mode, and not why it is wished.
import { Refused } from '../api/client'

/** `gone`: it was there, and was unplugged or taken away. */
export type Captured = 'off' | 'on' | 'paused' | 'denied' | 'gone'

interface Told {
  state(now: Captured): void
  /** Another track, or none, is to be sent from here on. */
  track(track: MediaStreamTrack | null, stream: MediaStream | null): Promise<void>
}

type Ask = (constraints: MediaStreamConstraints) => Promise<MediaStream>

const byBrowser: Ask = (constraints) => {
  // Without a secure connection the browser has no such thing.
  if (!navigator.mediaDevices) return Promise.reject(new DOMException('', 'SecurityError'))
  return navigator.mediaDevices.getUserMedia(constraints)
}

/** What kept it away; anything else is a person's or an administrator's no. */
const WHY: Record<string, string> = {
  NotFoundError: 'microphone_missing',
  NotReadableError: 'microphone_busy',
  AbortError: 'microphone_busy',
  SecurityError: 'microphone_insecure',
}

export class Capture {
  #stream: MediaStream | null = null
  #asking: Promise<void> | null = null
  #open = false
  /** Counts how often it was let go: what was asked for before comes to nobody. */
  #turn = 0
  #device = ''
  readonly #told: Told
  readonly #ask: Ask

  constructor(told: Told, ask: Ask = byBrowser) {
    this.#told = told
    this.#ask = ask
  }

  /** The one that gives sound now. */
  get track(): MediaStreamTrack | null {
    return this.#stream?.getAudioTracks().find((one) => one.readyState === 'live') ?? null
  }

  /** It is there when this resolves, open or shut as is wished by then. */
  prepare(): Promise<void> {
    if (this.track) return Promise.resolve()
    return this.#once()
  }

  #once(): Promise<void> {
    if (this.#asking) return this.#asking
    const asking = this.#take(this.#turn).finally(() => {
      if (this.#asking === asking) this.#asking = null
    })
    this.#asking = asking
    return asking
  }

  async #take(turn: number): Promise<void> {
    const audio: MediaTrackConstraints = {
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      ...(this.#device ? { deviceId: this.#device } : {}),
    }
    const stream = await this.#ask({ audio }).catch((error: unknown) => {
      if (turn === this.#turn && !this.track) this.#told.state('denied')
      const name = error instanceof Error || error instanceof DOMException ? error.name : ''
      const code = WHY[name] ?? 'microphone_denied'
      throw new Refused(0, code, [code], '')
    })
    if (turn !== this.#turn) {
      stop(stream)
      throw new Refused(0, 'superseded', ['superseded'], '')
    }
    const before = this.#stream
    const track = stream.getAudioTracks()[0] ?? null
    if (track) track.enabled = this.#open // Before it is sent anywhere.
    track?.addEventListener('ended', () => {
      if (stream === this.#stream) this.#told.state('gone')
    })
    this.#stream = stream
    stop(before)
    this.#told.state(this.#open ? 'on' : 'paused')
    await this.#told.track(track, stream)
  }

  /** Whether it is to be heard, now and when it comes. */
  open(wished: boolean): void {
    if (wished === this.#open) return
    this.#open = wished
    const { track } = this
    if (!track) return
    track.enabled = wished
    this.#told.state(wished ? 'on' : 'paused')
  }

  /** Another one from now on. One that cannot be had leaves the old one where it is. */
  async choose(device: string): Promise<void> {
    if (device === this.#device) return
    this.#device = device
    if (this.track) await this.#once().catch(() => {})
  }

  /** The browser shows no microphone in use after this, and none that was asked for before comes. */
  letGo(): void {
    this.#turn += 1
    this.#asking = null
    const stream = this.#stream
    this.#stream = null
    stop(stream)
    if (!stream) return
    this.#told.state('off')
    void this.#told.track(null, null)
  }
}

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop()
}
