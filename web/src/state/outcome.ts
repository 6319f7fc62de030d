// What came of a call, as whoever has it says: a form that lasts until it is kept. What is empty is left as it is
// at the server, and what was said before and is empty now is taken back. Knows no page.
import { Refused, refusedBy, type Api } from '../api/client'
import type { Call, Outcome, OutcomeAsked, Supervision } from '../api/types'
import { Store } from './store'

export interface Said {
  disposition: string
  /** Why the customer called. */
  reason: string
  resolved: boolean | null
}

export interface OutcomeDraft extends Said {
  state: 'open' | 'keeping' | 'kept'
  problem: Refused | null
}

const said = (outcome: Outcome | null | undefined): Said => ({
  disposition: outcome?.disposition ?? '',
  reason: outcome?.reason ?? '',
  resolved: outcome?.resolved ?? null,
})

/** Whoever has taken the call over, now or before, has it to wrap up. */
export const tookOver = ({ mode, spans }: Supervision) =>
  mode === 'takeover' || spans.some((span) => span.mode === 'takeover')

/** What is to be sent: `null` takes back, and what is as it was is not sent. */
export function asked(before: Said, now: Said): OutcomeAsked | null {
  const text = (was: string, is: string) => (is.trim() === was ? undefined : is.trim() || null)
  const all = {
    disposition: text(before.disposition, now.disposition),
    reason: text(before.reason, now.reason),
    resolved: now.resolved === before.resolved ? undefined : now.resolved,
  }
  const entries = Object.entries(all).filter(([, value]) => value !== undefined)
  return entries.length > 0 ? (Object.fromEntries(entries) as OutcomeAsked) : null
}

export class OutcomeForm extends Store<OutcomeDraft> {
  readonly #api: Pick<Api, 'outcome'>
  readonly #callId: string
  #before: Said

  constructor(api: Pick<Api, 'outcome'>, call: Call) {
    super({ ...said(call.outcome), state: 'open', problem: null })
    this.#api = api
    this.#callId = call.id
    this.#before = said(call.outcome)
  }

  say(change: Partial<Said>): void {
    this.update((now) => ({ ...now, ...change, state: 'open', problem: null }))
  }

  /** Nothing new to say is kept already. */
  async keep(): Promise<void> {
    const now = this.get()
    if (now.state === 'keeping') return
    const body = asked(this.#before, now)
    if (!body) return this.update((draft) => ({ ...draft, state: 'kept', problem: null }))
    this.update((draft) => ({ ...draft, state: 'keeping', problem: null }))
    try {
      this.#before = said(await this.#api.outcome(this.#callId, body))
      // What was typed meanwhile is still to be kept.
      this.update((draft) => (draft.state === 'keeping' ? { ...draft, state: 'kept' } : draft))
    } catch (error) {
      const problem = refusedBy(error)
      this.update((draft) => ({ ...draft, state: 'open', problem }))
    }
  }
}
