// What lasts as long as a key is down: speaking (push-to-talk), and an aside to the agent alone while one
// speaks with all. Both end open-and-shut: whatever happens, a key that is up lets nothing through.
import type { AudioPanel, Voice } from './panel'
import { Store } from './store'

type Inner = Voice & { prepare(): Promise<void> }

/** The microphone behind push-to-talk: the panel says when it may be open, the key when it is. */
export class PushToTalk extends Store<{ held: boolean }> implements Voice {
  readonly #inner: Inner
  readonly #wanted: () => boolean
  /** The panel lets it be heard. */
  #may = false

  constructor(inner: Inner, wanted: () => boolean) {
    super({ held: false })
    this.#inner = inner
    this.#wanted = wanted
  }

  ready(here?: boolean): Promise<void> {
    return this.#inner.ready(here)
  }

  tune(): Promise<void> {
    return this.#inner.tune()
  }

  /** Refused without a microphone, though it may stay shut until the key is down. */
  async speak(): Promise<void> {
    if (this.#wanted() && !this.get().held) await this.#inner.prepare()
    else await this.#inner.speak()
    this.#may = true
    if (this.#wanted()) this.#settle() // The key may have gone up meanwhile.
  }

  pause(): void {
    this.#may = false
    this.#inner.pause()
  }

  /** False if there is nothing to hold: the key then means nothing. */
  hold(held: boolean): boolean {
    if (held && !(this.#may && this.#wanted())) return false
    this.set({ held })
    this.#settle()
    return true
  }

  /** Push-to-talk was chosen, or given up, while one speaks. */
  chosen(): void {
    this.#settle()
  }

  #settle(): void {
    if (!this.#may) return
    if (this.get().held || !this.#wanted())
      void this.#inner.speak().catch(() => {}) // It says so itself.
    else this.#inner.pause()
  }
}

type Panel = Pick<AudioPanel, 'mode' | 'change'>

/** Hold: only the agent hears one. Let go: back with all, muted. */
export class Aside {
  readonly #panel: Panel
  #going: Promise<void> | null = null

  constructor(panel: Panel) {
    this.#panel = panel
  }

  get held(): boolean {
    return this.#going !== null
  }

  /** In barge alone: who has taken over is all that the customer has. */
  press(): boolean {
    if (this.#going) return true
    if (this.#panel.mode !== 'barge') return false
    this.#going = this.#panel.change({ mode: 'whisper', muted: false })
    return true
  }

  /** Waits for the answer to the first wish: two at once could come in the wrong order. */
  async release(): Promise<void> {
    const going = this.#going
    if (!going) return
    await going
    if (this.#going !== going) return
    this.#going = null
    if (this.#panel.mode === 'whisper') await this.#panel.change({ mode: 'barge', muted: true })
  }
}
