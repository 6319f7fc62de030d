// The browser's microphones and loudspeaker, for the headset check alone: what one says here is sent nowhere.
import type { Ears, Open } from './headset'

const TONE_HZ = 660
const TONE_S = 1
/** Comfortable at any volume. */
const TONE_GAIN = 0.2

export const browserEars: Ears = {
  async open(id: string): Promise<Open> {
    // Without a secure connection the browser has no such thing.
    if (!navigator.mediaDevices) throw new DOMException('', 'SecurityError')
    const audio: MediaTrackConstraints = id === '' ? {} : { deviceId: { exact: id } }
    const stream = await navigator.mediaDevices.getUserMedia({ audio })
    const context = new AudioContext()
    const analyser = new AnalyserNode(context, { fftSize: 2_048 })
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    return {
      level() {
        analyser.getFloatTimeDomainData(samples)
        return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
      },
      close() {
        for (const track of stream.getTracks()) track.stop()
        void context.close()
      },
    }
  },

  async microphones() {
    const all = await navigator.mediaDevices.enumerateDevices()
    return all
      .filter((one) => one.kind === 'audioinput' && one.deviceId !== '')
      .map((one) => ({ id: one.deviceId, name: one.label }))
  },

  async tone() {
    const context = new AudioContext()
    try {
      await context.resume()
      const end = context.currentTime + TONE_S
      const gain = new GainNode(context, { gain: 0 })
      // Fades, because a tone that is cut clicks.
      gain.gain.linearRampToValueAtTime(TONE_GAIN, context.currentTime + 0.05)
      gain.gain.setValueAtTime(TONE_GAIN, end - 0.05)
      gain.gain.linearRampToValueAtTime(0, end)
      const tone = new OscillatorNode(context, { frequency: TONE_HZ })
      tone.connect(gain).connect(context.destination)
      tone.start()
      tone.stop(end)
      await new Promise((resolve) => tone.addEventListener('ended', resolve, { once: true }))
    } finally {
      await context.close()
    }
  },
}
