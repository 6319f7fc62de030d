// The sound of a listened-to call in this browser: reads the WAV of `leg: stream` as it arrives and plays
// it. One way only: nothing here touches a microphone. Knows no call and no mode.
import { Store } from './store'

export interface Heard {
  playing: boolean
  /** 0 to 1, as the ear hears it, volume aside. */
  level: number
  buffered_ms: number
}

const SILENT: Heard = { playing: false, level: 0, buffered_ms: 0 }

/** Splits a WAV that never ends into its rate and its samples. */
export class WavReader {
  #head: number[] = []
  #odd: number | null = null
  rate: number | null = null

  /** Samples so far; empty until the header is whole. */
  take(bytes: Uint8Array): Int16Array {
    let start = 0
    while (this.rate === null && start < bytes.length) {
      this.#head.push(bytes[start] ?? 0)
      start += 1
      if (this.#head.length >= 20) this.#findData()
    }
    const body = start === 0 ? bytes : bytes.subarray(start)
    const lead = this.#odd === null ? [] : [this.#odd]
    const all = new Uint8Array(lead.length + body.length)
    all.set(lead)
    all.set(body, lead.length)
    this.#odd = all.length % 2 === 1 ? (all[all.length - 1] ?? 0) : null
    const view = new DataView(all.buffer)
    return Int16Array.from({ length: all.length >> 1 }, (_, i) => view.getInt16(i * 2, true))
  }

  #findData(): void {
    const text = String.fromCharCode(...this.#head.slice(-8, -4))
    if (text !== 'data') return
    const view = new DataView(Uint8Array.from(this.#head).buffer)
    this.rate = view.getUint32(24, true)
  }
}

export class StreamPlayer {
  readonly heard = new Store<Heard>(SILENT)
  #volume = 1
  #deaf = false
  #gain: GainNode | null = null

  volume(value: number): void {
    this.#volume = value
    this.#set()
  }

  deafen(on: boolean): void {
    this.#deaf = on
    this.#set()
  }

  #set(): void {
    if (this.#gain) this.#gain.gain.value = this.#deaf ? 0 : this.#volume
  }

  /** Plays until the body ends or breaks. Must begin in a click: browsers want one before sound. */
  async play(body: ReadableStream<Uint8Array>, onFirstSound: () => void): Promise<void> {
    const wav = new WavReader()
    const reader = body.getReader()
    let context: AudioContext | null = null
    let player: AudioWorkletNode | null = null
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        const samples = wav.take(value)
        if (wav.rate === null) continue
        if (!context || !player) {
          context = new AudioContext({ sampleRate: wav.rate, latencyHint: 'interactive' })
          player = await this.#connect(context, onFirstSound)
        }
        if (samples.length > 0) player.port.postMessage(samples, [samples.buffer])
      }
    } finally {
      this.#gain = null
      this.heard.set(SILENT)
      reader.cancel().catch(() => {})
      await context?.close()
    }
  }

  async #connect(context: AudioContext, onFirstSound: () => void): Promise<AudioWorkletNode> {
    await context.audioWorklet.addModule('/player.worklet.js')
    const player = new AudioWorkletNode(context, 'undertone-player', {
      numberOfInputs: 0,
      outputChannelCount: [1],
    })
    player.port.onmessage = ({
      data,
    }: MessageEvent<{ first?: boolean; peak?: number; buffered_ms?: number }>) => {
      if (data.first) return onFirstSound()
      this.heard.set({ playing: true, level: data.peak ?? 0, buffered_ms: data.buffered_ms ?? 0 })
    }
    this.#gain = new GainNode(context, { gain: this.#deaf ? 0 : this.#volume })
    player.connect(this.#gain).connect(context.destination)
    await context.resume()
    return player
  }
}
