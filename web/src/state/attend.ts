// One click on a row, a key, or a button in the panel: how a wish to attend becomes an act. A takeover asks
// first; without a phone to speak on one listens at once and is told what is missing.
import type { Mode } from '../api/types'
import type { App } from './app'

export async function attend(app: App, callId: string, mode: Mode): Promise<void> {
  if (mode === 'takeover') return app.dialog.set({ kind: 'takeover', callId })
  if (
    app.panel.get().phase === 'live' &&
    app.panel.get().callId === callId &&
    app.panel.mode === 'takeover'
  ) {
    return app.dialog.set({ kind: 'hand_back' })
  }
  performance.mark('undertone:click')
  const hearOn = app.hearOn(mode)
  if (hearOn) return app.panel.open(callId, hearOn, { mode })
  const listening = app.hearOn('listen')
  if (listening) await app.panel.open(callId, listening, { mode: 'listen' })
  app.panel.needs('needs_phone')
}
