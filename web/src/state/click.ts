// A soft click in one's own ear when the mode has changed, so that one knows without looking. Made here and played
// here: it goes to this browser's loudspeaker and to no line. Knows that a mode changed, not who asked for it.
import type { Mode } from '../api/types'
import type { Panel } from './panel'
import type { Store } from './store'

const CLICK_S = 0.03
const CLICK_HZ = 1_000
/** Far below a voice, at full volume. */
const CLICK_GAIN = 0.06

/** Clicks when the server has put another mode into force, where this browser is one's ear. */
export class ModeClick {
  readonly #click: () => void
  #last: { supervision: string; mode: Mode } | null = null

  constructor(panel: Store<Panel>, click: () => void) {
    this.#click = click
    panel.watch(() => this.#look(panel.get()))
  }

  #look({ phase, hearOn, supervision }: Panel): void {
    const before = this.#last
    const now =
      phase === 'live' && supervision
        ? { supervision: supervision.id, mode: supervision.mode }
        : null
    this.#last = now
    if (!now || before?.supervision !== now.supervision || before.mode === now.mode) return
    // At a desk phone the ear is elsewhere.
    if (hearOn.kind !== 'sip') this.#click()
  }
}

let context: AudioContext | null = null

/** `volume` 0 to 1, as what one hears of the call. */
export function clickHere(volume: number): void {
  context ??= new AudioContext()
  // A browser that lets nothing sound yet stays silent: the sentence says it as well.
  if (context.state !== 'running') void context.resume()
  const begin = context.currentTime
  const gain = new GainNode(context, { gain: CLICK_GAIN * volume })
  gain.gain.setValueAtTime(CLICK_GAIN * volume, begin)
  gain.gain.exponentialRampToValueAtTime(0.000_1, begin + CLICK_S)
  const tone = new OscillatorNode(context, { frequency: CLICK_HZ })
  tone.connect(gain).connect(context.destination)
  tone.start(begin)
  tone.stop(begin + CLICK_S)
}
