// What lasts as long as a key is down: an aside to the agent alone while one speaks with all. It ends as it began,
// whatever happens meanwhile; who asked for something else under the key is left with that.
import type { AudioPanel } from './panel'

type Panel = Pick<AudioPanel, 'mode' | 'turn' | 'change'>

/** Hold: only the agent hears one. Let go: back with all, muted. */
export class Aside {
  readonly #panel: Panel
  #going: Promise<void> | null = null
  /** The panel's wish that is this aside. */
  #turn = 0

  constructor(panel: Panel) {
    this.#panel = panel
  }

  get held(): boolean {
    return this.#going !== null
  }

  /** Whether the key would do anything. In barge alone: who has taken over is all that the customer has. */
  get may(): boolean {
    return this.held || this.#panel.mode === 'barge'
  }

  press(): boolean {
    if (this.#going) return true
    if (!this.may) return false
    this.#going = this.#panel.change({ mode: 'whisper', muted: false })
    this.#turn = this.#panel.turn
    return true
  }

  /** Waits for the answer to the first wish: two at once could come in the wrong order. */
  async release(): Promise<void> {
    const going = this.#going
    if (!going) return
    await going
    if (this.#going !== going) return
    this.#going = null
    // Esc, or another mode, under the key: whoever went to listen is not put back among all.
    if (this.#panel.turn !== this.#turn) return
    if (this.#panel.mode === 'whisper') await this.#panel.change({ mode: 'barge', muted: true })
  }
}
