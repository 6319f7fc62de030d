// How long one attends and how much one has whispered, by what the agent was measured to hear; amber when
// it is much. Seen by this supervisor alone.
import { useEffect, useState } from 'react'
import type { Call, Party, Supervision } from '../../api/types'
import type { App } from '../../state/app'
import { WhisperCounter, excess, whispered } from '../../state/counters'
import { hearsSupervisor } from '../../state/people'
import { clockText } from '../../state/time'
import { Digits } from '../../ui/State'
import { useApp, useNow, useWords } from '../use'

export function Counters({ call, mine }: { call: Call; mine: Supervision }) {
  const app = useApp()
  const words = useWords()
  const now = useNow()
  // A counter lives as long as the supervision.
  const [counter] = useState(() => new WhisperCounter(whispered(call, mine, app.clock.now())))
  // Each measure is counted, and drawn once a second.
  useEffect(() => {
    const sample = () => counter.sample(app.clock.now(), isHeard(app, call, mine))
    sample()
    return app.board.meters.watch(sample)
  }, [app, counter, call, mine])
  const counts = counter.read(now)
  const attending = now - Date.parse(mine.started_at)
  const limits = app.limits()
  const much = excess(counts, attending, limits)
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
      {much ? (
        <strong>
          {words.t(`panel.excess_${much}`, {
            s: Math.round(limits.whisper_long_ms / 1_000),
            share: Math.round(limits.whisper_share * 100),
            n: limits.whisper_per_min,
          })}
        </strong>
      ) : null}
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

/** Whether the one whom one whispers to hears one at this instant, by what was measured. */
function isHeard({ board }: App, call: Call, mine: Supervision): boolean {
  if (mine.mode !== 'whisper' || !board.isMeasured(call.id, Date.now())) return false
  const meters = board.meters.get().get(call.id)
  const hears = (party: Party) => {
    const meter = meters?.find((one) => one.id === party.id)
    return meter
      ? mine.party_id != null && meter.hears.includes(mine.party_id)
      : hearsSupervisor(party, mine)
  }
  return call.parties.filter((party) => mine.targets.includes(party.id)).some(hears)
}

const timeOfDay = (at: string) =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
