// The demo's ears: one hears the call as one of its simulated telephones hears it, in place of one's own sound.
// Lasts as long as one attends that call; whatever goes wrong, one hears as oneself again.
import { refusedBy, type Api, type Refused } from '../api/client'
import type { Panel } from './panel'
import type { StreamPlayer } from './sound'
import { Store } from './store'

export interface Ear {
  /** Whose; null: one's own. */
  party: string | null
  problem: Refused | null
}

const OWN: Ear = { party: null, problem: null }

interface Sources {
  api: Pick<Api, 'ear'>
  panel: Store<Panel>
  player: Pick<StreamPlayer, 'play'>
  /** Nothing of one's own sound meanwhile. */
  deafen(on: boolean): void
}

export class HearAs extends Store<Ear> {
  readonly #from: Sources
  #abort: AbortController | null = null
  #supervision: string | null = null

  constructor(from: Sources) {
    super(OWN)
    this.#from = from
    from.panel.watch(() => this.#look())
  }

  #look(): void {
    const { phase, supervision } = this.#from.panel.get()
    if (this.get().party === null) return
    if (phase !== 'live' || supervision?.id !== this.#supervision) this.own()
  }

  own(): void {
    this.#abort?.abort()
    this.#abort = null
    this.#from.deafen(false)
    this.set(OWN)
  }

  async choose(party: string): Promise<void> {
    const { callId, supervision } = this.#from.panel.get()
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    this.#supervision = supervision?.id ?? null
    this.#from.deafen(true)
    this.set({ party, problem: null })
    try {
      const body = await this.#from.api.ear(callId, party, abort.signal)
      await this.#from.player.play(body, () => {})
      if (abort === this.#abort) this.own()
    } catch (error) {
      if (abort !== this.#abort) return // One hears as somebody else by now.
      this.own()
      this.set({ party: null, problem: refusedBy(error) })
    }
  }
}
