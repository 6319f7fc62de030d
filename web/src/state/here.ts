// Calls that ring in this browser: chosen once, and kept over a reload, so that whoever is in a call has it again.
import type { Answering } from './incoming'
import type { BrowserPhone } from './phone'

const KEY = 'undertone.calls_here'

type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
type Phone = Pick<BrowserPhone, 'ready' | 'prepare' | 'close'>

export class CallsHere {
  readonly #phone: Phone
  readonly #answering: Pick<Answering, 'takeCallsHere'>
  readonly #kept: Kept

  constructor(phone: Phone, answering: Pick<Answering, 'takeCallsHere'>, kept: Kept) {
    this.#phone = phone
    this.#answering = answering
    this.#kept = kept
  }

  /** `fromElsewhere`: another page has the telephone, and is to lose it. */
  async take(fromElsewhere = false): Promise<void> {
    this.#kept.setItem(KEY, 'yes')
    // What could not be had is in the phone's state, with why.
    if (fromElsewhere) await this.#back(true).catch(() => {})
    else await this.#answering.takeCallsHere()
  }

  /** After a reload the telephone comes back by itself, and with it the call that one is on. */
  async restore(): Promise<void> {
    if (this.#kept.getItem(KEY)) await this.#back(false).catch(() => {})
  }

  /** The microphone is there and shut: it opens where there is a call (microphone.ts). */
  async #back(here: boolean): Promise<void> {
    await this.#phone.ready(here)
    await this.#phone.prepare()
  }

  async stop(): Promise<void> {
    this.forget()
    await this.#phone.close()
  }

  forget(): void {
    this.#kept.removeItem(KEY)
  }
}
