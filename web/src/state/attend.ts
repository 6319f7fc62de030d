// One click on a row, a key, or a button in the panel: how a wish to attend, or to leave, becomes an act. A takeover
// asks first, and so does leaving one; without a phone to speak on one listens at once and is told what is missing.
// What one attends is not left for what one may not have. Knows no view.
import { Refused, refusedBy } from '../api/client'
import type { Mode } from '../api/types'
import type { App } from './app'
import { staleFor } from './board'
import type { HearOn, Options } from './panel'

export async function attend(app: App, callId: string, mode: Mode): Promise<void> {
  const { phase, callId: at } = app.panel.get()
  const there = phase === 'live' && at === callId
  if (mode !== 'listen' && staleFor(app.board.get(), Date.now()) !== null) {
    return app.panel.refused(new Refused(0, 'stale', ['stale'], ''))
  }
  // Whoever has taken a call over is all that its customer has.
  if (app.panel.mode === 'takeover') {
    if (!there) return app.dialog.set({ kind: 'leave', then: { callId, mode } })
    return mode === 'takeover' ? undefined : app.dialog.set({ kind: 'hand_back' })
  }
  if (mode === 'takeover') return app.dialog.set({ kind: 'takeover', callId })
  performance.mark('undertone:click')
  const hearOn = app.hearOn(mode)
  if (hearOn) return enter(app, callId, hearOn, { mode })
  const listening = app.hearOn('listen')
  if (listening) await enter(app, callId, listening, { mode: 'listen' })
  app.panel.needs('needs_phone')
}

/** Attends, and leaves for it what was attended before: after it is known that one may. */
export async function enter(
  app: App,
  callId: string,
  hearOn: HearOn,
  options: Options,
): Promise<void> {
  const { panel } = app
  const { phase, callId: at } = panel.get()
  if (phase === 'live' && at !== callId) {
    const { turn } = panel
    const why = await whyNot(app, callId, options.mode)
    if (turn !== panel.turn) return // Something else was asked for meanwhile.
    if (why) return panel.refused(why)
  }
  await panel.open(callId, hearOn, options)
}

async function whyNot(app: App, callId: string, mode: Mode): Promise<Refused | null> {
  const asked = await app.api.abilities(callId).catch(refusedBy)
  if (asked instanceof Refused) {
    const codes = asked.reasons.length > 0 ? asked.reasons : [asked.code]
    return new Refused(asked.status, 'other_call', codes, asked.message)
  }
  const ability = asked[mode]
  const against = ability?.reasons.filter((reason) => reason !== 'already_supervising') ?? []
  return ability?.allowed || against.length === 0 ? null : new Refused(0, 'other_call', against, '')
}

/** One has gone only when the server says so; a call that was taken over is not dropped without a question. */
export async function leave(app: App): Promise<void> {
  if (app.panel.mode === 'takeover') app.dialog.set({ kind: 'leave', then: null })
  else await app.panel.leave()
}

/** Out of a takeover, the call given back first. What is refused leaves everything as it is. */
export async function handBackAndLeave(app: App): Promise<boolean> {
  return (await app.panel.agent('hand_back')) && (await app.panel.leave())
}

/**
 * Out of a takeover, the customer's call ended. With nowhere to go the panel stays for the wrap-up, and ends by the
 * server's word.
 */
export async function endAndLeave(app: App, goes: boolean): Promise<boolean> {
  const { callId } = app.panel.get()
  const refusal = await app.api.hangUp(callId).then(() => null, refusedBy)
  if (!refusal) return goes ? app.panel.leave() : true
  app.panel.refused(refusal)
  return false
}
