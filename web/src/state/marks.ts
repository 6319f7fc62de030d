// What a supervisor writes down while attending: a note, a flag for review, a bookmark at an instant. The server
// keeps them with the call and shows them to no agent; here is the last one, until the supervision is another.
import { Refused, refusedBy, type Api } from '../api/client'
import type { Mark, MarkWord } from '../api/types'
import type { Panel } from './panel'
import { Store } from './store'

export interface Marked {
  last: Mark | null
  problem: Refused | null
}

const NONE: Marked = { last: null, problem: null }

export class Marks extends Store<Marked> {
  readonly #api: Pick<Api, 'mark'>
  readonly #panel: Store<Panel>
  #supervision: string | null = null

  constructor(api: Pick<Api, 'mark'>, panel: Store<Panel>) {
    super(NONE)
    this.#api = api
    this.#panel = panel
    panel.watch(() => this.#follow())
  }

  get #live(): string | null {
    const { phase, supervision } = this.#panel.get()
    return phase === 'live' ? (supervision?.id ?? null) : null
  }

  #follow(): void {
    if (this.#live === this.#supervision) return
    this.#supervision = this.#live
    this.set(NONE)
  }

  /** True when the server has it. A note of nothing is none. */
  async add(kind: MarkWord, text = ''): Promise<boolean> {
    const supervision = this.#live
    const said = text.trim()
    if (!supervision || (kind === 'note' && said === '')) return false
    this.set(NONE)
    try {
      const last = await this.#api.mark(supervision, kind, said || null)
      // By then one may attend another call, which this says nothing of.
      if (this.#live === supervision) this.set({ last, problem: null })
      return true
    } catch (error) {
      if (this.#live === supervision) this.set({ last: null, problem: refusedBy(error) })
      return false
    }
  }
}
