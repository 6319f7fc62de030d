// How loud a sound in the browser is at this instant. Sounds nothing itself.
const SAMPLES = 1_024

export class Loudness {
  readonly #context = new AudioContext()
  readonly #analyser = new AnalyserNode(this.#context, { fftSize: SAMPLES })
  readonly #samples = new Float32Array(SAMPLES)

  constructor(stream: MediaStream) {
    new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream }).connect(this.#analyser)
  }

  /** 0 to 1: the loudest of the last 20 ms. */
  read(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples)
    return this.#samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  }

  /** After a key or a click: before, the browser may not have let it measure. */
  wake(): void {
    void this.#context.resume()
  }

  close(): void {
    void this.#context.close()
  }
}
