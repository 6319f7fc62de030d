// An agent's call for help, from the key to the word that somebody comes. It is sent with the reason that is
// chosen, or without one after a moment. Whether it stands is the server's word, on the board.
import { refusedBy, type Api, type Refused } from '../api/client'
import { Store } from './store'

export const REASONS = [
  'policy',
  'angry_customer',
  'wants_supervisor',
  'technical',
  'safety',
] as const
export type HelpReason = (typeof REASONS)[number]

export interface Hand {
  /** The call for which a reason may still be chosen before it is sent. */
  asking: string | null
  /** What went wrong, and on which call. */
  problem: Refused | null
  callId: string | null
}

const DOWN: Hand = { asking: null, problem: null, callId: null }
export const SENT_AFTER_MS = 2_000

export class RaisedHand extends Store<Hand> {
  readonly #api: Pick<Api, 'help' | 'helpReason' | 'helpEnd'>
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(api: Pick<Api, 'help' | 'helpReason' | 'helpEnd'>) {
    super(DOWN)
    this.#api = api
  }

  raise(call: string): void {
    if (this.get().asking !== null) return
    this.set({ asking: call, problem: null, callId: call })
    this.#timer = setTimeout(() => void this.#send(call, null), SENT_AFTER_MS)
  }

  /** The reason of a hand that is going up, or is up already. */
  async because(call: string, reason: HelpReason): Promise<void> {
    if (this.get().asking === call) return this.#send(call, reason)
    await this.#try(call, this.#api.helpReason(call, reason))
  }

  /** Somebody else sits here. */
  forget(): void {
    this.#still()
  }

  async lower(call: string): Promise<void> {
    if (this.get().asking === call) return this.#still()
    await this.#try(call, this.#api.helpEnd(call))
  }

  async #send(call: string, reason: HelpReason | null): Promise<void> {
    this.#still()
    await this.#try(call, this.#api.help(call, reason))
  }

  #still(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.set(DOWN)
  }

  async #try(callId: string, doing: Promise<unknown>): Promise<void> {
    try {
      await doing
    } catch (error) {
      this.set({ asking: null, problem: refusedBy(error), callId })
    }
  }
}
