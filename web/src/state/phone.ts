// The one telephone in this browser: a WebRTC leg that the server lends to one call at a time. The leg is
// negotiated without a microphone (capture.ts); that comes, and is asked for, when one first wants to be heard.
// Knows no call and no mode; whether the microphone may be open is for microphone.ts to say.
//
//   off ──ready──▶ connecting ──▶ up ⇄ lost (ICE restart, then anew) ──close──▶ off
//                      └──▶ failed (why)     ▼
//                                       elsewhere: another page has it, and only `ready(here)` takes it back
import { Refused, refusedBy, type Api } from '../api/client'
import type { Phone } from '../api/types'
import { Capture, type Captured } from './capture'
import type { Key } from './keypad'
import { Loudness } from './loudness'
import { Relays } from './relays'
import { Store } from './store'
import { pageName } from './tab'

export interface PhoneState {
  phase: 'off' | 'connecting' | 'up' | 'lost' | 'elsewhere' | 'failed'
  microphone: Captured
  problem: Refused | null
  /** 0 to 1, of what is heard. */
  level: number
  /** The browser lets nothing sound before a key or a click. */
  blocked?: boolean
  /** The call that the server has lent it to. */
  callId: string | null
}

const OFF: PhoneState = { phase: 'off', microphone: 'off', problem: null, level: 0, callId: null }
const CONNECT_MS = 10_000
/** Between tries to come back, for as long as the page is open: the server may be started again. */
const AGAIN_MS = [500, 1_000, 2_000, 4_000, 8_000]
const METER_MS = 50
const AUDIBLE = 0.003
/** Long enough for any receiver of Q.24, and a gap that tells two of the same key apart. */
const KEY_MS = 160
const KEY_GAP_MS = 80
/** The order in which codecs are offered; what a browser lacks is left out. */
const CODECS = ['audio/opus', 'audio/G722', 'audio/PCMU', 'audio/PCMA', 'audio/telephone-event']

type PhoneApi = Pick<Api, 'ice' | 'phone' | 'phoneOffer' | 'phoneEnd'>

export class BrowserPhone extends Store<PhoneState> {
  readonly #api: PhoneApi
  readonly #kept: Pick<Storage, 'getItem' | 'setItem'>
  #connection: RTCPeerConnection | null = null
  #sender: RTCRtpSender | null = null
  readonly #capture: Capture
  #speaker: HTMLAudioElement | null = null
  #meter: ReturnType<typeof setInterval> | null = null
  #heard: Loudness | null = null
  #own: Loudness | null = null
  #connecting: Promise<void> | null = null
  #recovering = false
  readonly #relays: Relays
  #volume = 1
  #deaf = false
  onSound: () => void = () => {}

  constructor(api: PhoneApi, kept: Pick<Storage, 'getItem' | 'setItem'>) {
    super(OFF)
    this.#api = api
    this.#kept = kept
    this.#relays = new Relays(() => api.ice())
    this.#capture = new Capture({
      state: (microphone) => this.update((now) => ({ ...now, microphone })),
      track: (track, stream) => this.#track(track, stream),
    })
  }

  /** The microphone that was chosen; empty: the browser's choice. */
  set device(id: string) {
    void this.#capture.choose(id)
  }

  /** The leg is up when this resolves. `here` takes it from another page of the same person. */
  async ready(here = false): Promise<void> {
    if (this.get().phase === 'up') return
    this.#connecting ??= this.#connect(here).finally(() => (this.#connecting = null))
    return this.#connecting
  }

  /** `back`: it was up before, and stays `lost` until it is up again. */
  async #connect(here: boolean, back = false): Promise<void> {
    if (!back) this.update((now) => ({ ...now, phase: 'connecting', problem: null }))
    try {
      this.#drop()
      const { ice_servers } = await this.#api.ice()
      if (this.get().phase === 'off') throw new Refused(0, 'superseded', ['superseded'], '')
      const connection = new RTCPeerConnection({ iceServers: ice_servers })
      this.#connection = connection
      this.#relays.keep(connection, ice_servers, () => this.#restart(connection))
      const transceiver = connection.addTransceiver('audio', { direction: 'sendrecv' })
      transceiver.setCodecPreferences(preferred())
      this.#sender = transceiver.sender
      if (this.#capture.track) await this.#sender.replaceTrack(this.#capture.track)
      connection.addEventListener('track', (event) => this.#listen(event))
      connection.addEventListener('connectionstatechange', () => this.#moved(connection))
      await this.#offer(connection, here, false)
      await connected(connection)
      this.update((now) => ({ ...now, phase: 'up', problem: null }))
    } catch (error) {
      const problem = refusedBy(error)
      if (this.get().phase === 'off') throw problem // Closed meanwhile.
      const phase = problem.code === 'phone_elsewhere' ? 'elsewhere' : back ? 'lost' : 'failed'
      this.#drop()
      this.update((now) => ({ ...now, phase, problem }))
      throw problem
    }
  }

  async #offer(connection: RTCPeerConnection, here: boolean, iceRestart: boolean): Promise<void> {
    await connection.setLocalDescription(await connection.createOffer({ iceRestart }))
    const answer = await this.#api.phoneOffer(
      connection.localDescription?.sdp ?? '',
      this.tab,
      here,
    )
    await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp })
    await this.#send(answer.send_codec)
  }

  /** The same leg by another way. */
  async #restart(connection: RTCPeerConnection): Promise<void> {
    if (connection === this.#connection) await this.#offer(connection, false, true)
  }

  /** Kept over a reload, so that the server knows the same page again. */
  get tab(): string {
    return pageName(this.#kept)
  }

  #moved(connection: RTCPeerConnection): void {
    if (connection !== this.#connection) return
    if (connection.connectionState === 'connected') {
      this.update((now) => ({ ...now, phase: 'up' }))
    } else if (
      connection.connectionState === 'disconnected' ||
      connection.connectionState === 'failed'
    ) {
      if (this.get().phase !== 'up') return
      this.update((now) => ({ ...now, phase: 'lost' }))
      void this.#recover(connection)
    }
  }

  /** Another network is the same leg by an ICE restart. A server that was started again knows neither. */
  async #recover(connection: RTCPeerConnection): Promise<void> {
    if (this.#recovering) return
    this.#recovering = true
    await this.#relays.refresh(connection)
    const restart = this.#restart(connection).then(() => connected(connection))
    let refusal = await restart.then(() => null, refusedBy)
    for (let n = 0; this.get().phase === 'lost'; n++) {
      if (refusal?.code === 'phone_elsewhere') {
        this.#gone()
        break
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS[n] ?? 8_000))
      if (this.get().phase !== 'lost') break
      this.#connecting ??= this.#connect(false, true).finally(() => (this.#connecting = null))
      refusal = await this.#connecting.then(() => null, refusedBy)
    }
    this.#recovering = false
  }

  /** Asks what the call's other end speaks, and sends that. */
  async tune(): Promise<void> {
    const phone = await this.#api.phone(this.tab).catch(() => null) // Not tuned is transcoded: heard as well.
    if (phone) await this.#send(phone.send_codec)
  }

  #listen(event: RTCTrackEvent): void {
    const stream = event.streams[0] ?? new MediaStream([event.track])
    // A remote track that only WebAudio takes is digital silence: an element must take it too.
    const speaker = new Audio()
    speaker.srcObject = stream
    speaker.volume = this.#volume
    speaker.muted = this.#deaf
    this.#speaker = speaker
    const heard = new Loudness(stream)
    this.#heard = heard
    void this.#sound(speaker, heard)
    let told = 0
    this.#meter = setInterval(() => {
      const level = heard.read()
      if (level > AUDIBLE) this.onSound()
      told += 1
      if (told % 4 === 0) this.update((now) => ({ ...now, level }))
    }, METER_MS)
  }

  /** A page that was reloaded may need a key or a click before it may sound, and says so until then. */
  async #sound(speaker: HTMLAudioElement, heard: Loudness): Promise<void> {
    const blocked = await speaker.play().then(
      () => false,
      () => true,
    )
    if (this.#speaker !== speaker) return
    this.update((now) => ({ ...now, blocked }))
    if (!blocked) return
    const tried = new AbortController()
    for (const gesture of ['pointerdown', 'keydown']) {
      const again = () => {
        tried.abort()
        heard.wake()
        void this.#sound(speaker, heard)
      }
      addEventListener(gesture, again, { signal: tried.signal })
    }
  }

  /** The microphone is there when this resolves; it is asked for the first time. It opens nothing. */
  async prepare(): Promise<void> {
    // What one says here would be heard by nobody, whatever the page said.
    if (this.get().phase === 'elsewhere')
      throw new Refused(0, 'phone_elsewhere', ['phone_elsewhere'], '')
    await this.#capture.prepare()
  }

  /** Shut is silence from here on: what was said before a switch is not sent after it. */
  open(wished: boolean): void {
    this.#capture.open(wished)
  }

  /** Nobody needs the microphone now; the next who does is given it again. */
  rest(): void {
    this.#capture.letGo()
  }

  async #track(track: MediaStreamTrack | null, stream: MediaStream | null): Promise<void> {
    this.#own?.close()
    this.#own = stream ? new Loudness(stream) : null
    await this.#sender?.replaceTrack(track)
  }

  /** 0 to 1: the loudest of the last moment that the microphone gave; null where there is none. */
  loudness(): number | null {
    return this.#own?.read() ?? null
  }

  /** A key of a telephone (RFC 4733), after those that still sound. */
  dial(key: Key): boolean {
    const dtmf = this.#sender?.dtmf
    if (this.get().phase !== 'up' || !dtmf?.canInsertDTMF) return false
    dtmf.insertDTMF(dtmf.toneBuffer + key, KEY_MS, KEY_GAP_MS)
    return true
  }

  volume(value: number): void {
    this.#volume = value
    if (this.#speaker) this.#speaker.volume = value
  }

  /** What comes is not heard here, and nobody else notices. */
  deafen(on: boolean): void {
    this.#deaf = on
    if (this.#speaker) this.#speaker.muted = on
  }

  /** The server's word on the leg. */
  told(phone: Partial<Pick<Phone, 'state' | 'send_codec' | 'call_id'>> | null): void {
    this.update((now) => ({ ...now, callId: phone?.call_id ?? null }))
    if (phone?.state === 'elsewhere') {
      void this.#taken()
    } else if (phone?.send_codec) {
      void this.#send(phone.send_codec)
    }
  }

  /**
   * Another page has it, by what was told. That may have been said before this page took it back, so the
   * server is asked how it is now.
   */
  async #taken(): Promise<void> {
    const connection = this.#connection
    if (!connection) return
    const phone = await this.#api.phone(this.tab).catch(() => null)
    if (phone?.state === 'elsewhere' && connection === this.#connection) this.#gone()
  }

  /** Here it neither sounds nor hears any more, and the browser shows no open microphone. */
  #gone(): void {
    this.#drop()
    this.#capture.letGo()
    this.update((now) => ({ ...now, phase: 'elsewhere', microphone: 'off', level: 0 }))
  }

  /** Sends what the other end speaks, where the browser can switch without a new offer. */
  async #send(name: string | undefined): Promise<void> {
    const sender = this.#sender
    if (!sender || !name) return
    const parameters = sender.getParameters() as RTCRtpSendParameters & {
      encodings: (RTCRtpEncodingParameters & { codec?: RTCRtpCodec })[]
    }
    const codec = parameters.codecs.find(
      (one) => one.mimeType.toLowerCase() === `audio/${name.toLowerCase()}`,
    )
    const encoding = parameters.encodings[0]
    if (!codec || !encoding) return
    encoding.codec = codec
    await sender.setParameters(parameters).catch(() => {}) // The server then transcodes.
  }

  async close(): Promise<void> {
    const was = this.get().phase
    this.#drop()
    this.#capture.letGo()
    this.set(OFF)
    if (was === 'up' || was === 'lost') await this.#api.phoneEnd().catch(() => {})
  }

  #drop(): void {
    this.#relays.stop()
    if (this.#meter !== null) clearInterval(this.#meter)
    this.#meter = null
    this.#heard?.close()
    this.#heard = null
    if (this.#speaker) this.#speaker.srcObject = null
    this.#speaker = null
    this.#connection?.close()
    this.#connection = null
    this.#sender = null
  }
}

function preferred(): RTCRtpCodec[] {
  const all = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? []
  return CODECS.flatMap((name) =>
    all.filter((one) => one.mimeType.toLowerCase() === name.toLowerCase()),
  )
}

function connected(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => done(new Refused(0, 'no_media_path', ['no_media_path'], '')),
      CONNECT_MS,
    )
    const look = () => {
      if (connection.connectionState === 'connected') done(null)
      if (connection.connectionState === 'failed')
        done(new Refused(0, 'no_media_path', ['no_media_path'], ''))
    }
    const done = (error: Refused | null) => {
      clearTimeout(late)
      connection.removeEventListener('connectionstatechange', look)
      if (error) reject(error)
      else resolve()
    }
    connection.addEventListener('connectionstatechange', look)
    look()
  })
}
