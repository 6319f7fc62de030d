// How long one attends and how much one has whispered, by what the agent was measured to hear; amber when
// it is much. Seen by this supervisor alone.
import { useEffect, useMemo } from 'react'
import type { Call, Party, Supervision } from '../../api/types'
import { WhisperCounter, excess } from '../../state/counters'
import { hearsSupervisor } from '../../state/people'
import { clockText } from '../../state/time'
import { Digits } from '../../ui/State'
import { useApp, useNow, useStore, useWords } from '../use'

export function Counters({ call, mine }: { call: Call; mine: Supervision }) {
  const app = useApp()
  const words = useWords()
  const now = useNow()
  // A counter lives as long as the supervision.
  const counter = useMemo(() => ({ of: mine.id, counts: new WhisperCounter() }).counts, [mine.id])
  const meters = useStore(app.board.meters).get(call.id)
  const hears = (party: Party) => {
    const meter = meters?.find((one) => one.id === party.id)
    return meter
      ? mine.party_id != null && meter.hears.includes(mine.party_id)
      : hearsSupervisor(party, mine)
  }
  const targets = call.parties.filter((party) => mine.targets.includes(party.id))
  const known = app.board.isMeasured(call.id, Date.now())
  const heard = known && mine.mode === 'whisper' && targets.some(hears)
  useEffect(() => counter.sample(app.clock.now(), heard), [app, counter, now, heard, meters])
  const counts = counter.read(now)
  const attending = now - Date.parse(mine.started_at)
  const much = excess(counts, attending, app.limits())
  const total = clockText(counts.total_ms)
  return (
    <div className={`counters${much ? ' counters-much' : ''}`}>
      <span>{words.t('panel.count_attending', { time: clockText(attending) })}</span>
      {mine.leg.kind === 'stream' ? null : (
        <span>
          {counts.now_ms > 0
            ? `${words.t('panel.count_now', { time: clockText(counts.now_ms) })} · `
            : ''}
          {words.t('panel.count', { n: counts.count, time: total })}
        </span>
      )}
      {much ? <strong>{words.t('panel.excess')}</strong> : null}
      <span className="spans">
        {mine.spans.slice(-4).map((span) => (
          <span key={`${span.from}${span.mode}`}>
            <Digits>{timeOfDay(span.from)}</Digits> {words.term(span.mode)}
          </span>
        ))}
      </span>
    </div>
  )
}

const timeOfDay = (at: string) =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
