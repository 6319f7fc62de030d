// Plays 16-bit mono PCM that arrives in pieces. Runs on the audio thread; knows nothing of calls.
// Starts when a tenth of a second is there, and skips ahead when more than half a second has piled up.
const START_S = 0.1
const MOST_S = 0.5
const RING_S = 4
const TELL_EVERY = 40 // blocks of 128 samples

class Player extends AudioWorkletProcessor {
  constructor() {
    super()
    this.ring = new Float32Array(Math.ceil(RING_S * sampleRate))
    this.read = 0
    this.fill = 0
    this.playing = false
    this.heard = false
    this.blocks = 0
    this.peak = 0
    this.port.onmessage = ({ data }) => this.take(data)
  }

  take(samples) {
    for (let i = 0; i < samples.length; i++) {
      this.ring[(this.read + this.fill) % this.ring.length] = samples[i] / 32768
      if (this.fill < this.ring.length) this.fill++
      else this.read = (this.read + 1) % this.ring.length
    }
    const most = MOST_S * sampleRate
    if (this.fill > most) this.skip(this.fill - Math.floor(START_S * sampleRate))
  }

  skip(count) {
    this.read = (this.read + count) % this.ring.length
    this.fill -= count
  }

  process(_inputs, [[out]]) {
    if (!this.playing && this.fill >= START_S * sampleRate) this.playing = true
    if (this.playing && this.fill < out.length) this.playing = false
    if (this.playing) {
      for (let i = 0; i < out.length; i++) {
        const sample = this.ring[(this.read + i) % this.ring.length]
        out[i] = sample
        const size = Math.abs(sample)
        if (size > this.peak) this.peak = size
      }
      this.skip(out.length)
    }
    if (!this.heard && this.peak > 0.003) {
      this.heard = true
      this.port.postMessage({ first: true })
    }
    if (++this.blocks % TELL_EVERY === 0) {
      this.port.postMessage({ peak: this.peak, buffered_ms: (this.fill / sampleRate) * 1000 })
      this.peak = 0
    }
    return true
  }
}

registerProcessor('undertone-player', Player)
