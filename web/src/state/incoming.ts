// A call that rings at the browser's phone: which it is, and how one takes or refuses it. Knows no page.
import { refusedBy, type Api, type Refused } from '../api/client'
import type { Call, Party } from '../api/types'
import type { Board } from './board'
import type { PhoneState } from './phone'
import type { Voice } from './panel'
import { Store } from './store'

/** My own party on a call, while it rings. */
const ringsAt = (call: Call, me: string): Party | null =>
  (call.state === 'ringing' || call.state === 'queued') &&
  call.parties.some((party) => party.person_id === me && !party.connected)
    ? (call.parties.find((party) => party.person_id !== me) ?? null)
    : null

export interface Incoming {
  call: Call
  from: Party
}

/** What rings here: nothing while this page has no phone, or while it is in a call. */
export function incoming(board: Board, phone: PhoneState, me: string): Incoming | null {
  if (phone.phase !== 'up' || phone.callId !== null) return null
  for (const { call } of board.calls.values()) {
    const from = ringsAt(call, me)
    if (from) return { call, from }
  }
  return null
}

export class Answering extends Store<{ problem: Refused | null }> {
  readonly #api: Pick<Api, 'answer' | 'decline'>
  readonly #voice: Pick<Voice, 'ready' | 'prepare'>

  constructor(api: Pick<Api, 'answer' | 'decline'>, voice: Pick<Voice, 'ready' | 'prepare'>) {
    super({ problem: null })
    this.#api = api
    this.#voice = voice
  }

  /** The phone and the microphone before the first call, so that answering is one click. */
  async takeCallsHere(): Promise<void> {
    await this.#try(async () => {
      await this.#voice.ready()
      await this.#voice.prepare()
    })
  }

  /** The microphone first: nobody is answered by somebody who cannot be heard. It opens by microphone.ts. */
  async answer(call: string): Promise<void> {
    await this.#try(async () => {
      await this.#voice.prepare()
      await this.#api.answer(call)
    })
  }

  dismiss(): void {
    this.set({ problem: null })
  }

  async decline(call: string): Promise<void> {
    await this.#try(() => this.#api.decline(call))
  }

  async #try(doing: () => Promise<void>): Promise<void> {
    this.set({ problem: null })
    try {
      await doing()
    } catch (error) {
      this.set({ problem: refusedBy(error) })
    }
  }
}
