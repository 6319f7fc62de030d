// Who is on the call, and who of them hears one: the lamp shows what was measured at that party's output,
// not what was planned. Whisper next to an internal name makes that person the target.
import { useState } from 'react'
import type { Call, Party, PartyMeter, Supervision } from '../../api/types'
import { attend } from '../../state/attend'
import { hearsSupervisor, isInternal, running, shownName } from '../../state/people'
import { useApp, useNow, useSelect, useStore, useWords } from '../use'

type Meters = ReadonlyMap<string, PartyMeter[]>

export function Attendees({ call, mine }: { call: Call; mine: Supervision }) {
  const words = useWords()
  const others = running(call).filter((one) => one.id !== mine.id)
  const talkers = call.parties.filter((party) => party.role !== 'supervisor')
  const gone = (one: Supervision) =>
    call.parties.some((party) => party.id === one.party_id && party.unattended)
  return (
    <div className="attendees">
      <h3>{words.t('panel.attendees')}</h3>
      <ul>
        {talkers.map((party) => (
          <Attendee key={party.id} call={call} party={party} mine={mine} />
        ))}
        {others.map((one) => (
          <li key={one.id} className="attendee">
            <span className="attendee-name">{one.supervisor.name}</span>
            <span className="attendee-what">
              {words.t(`panel.is.${one.mode}`)}
              {gone(one) ? ` · ${words.t('panel.unattended')}` : ''}
            </span>
          </li>
        ))}
      </ul>
      <AgentsActs call={call} mine={mine} />
    </div>
  )
}

/**
 * Hold and remove mean every agent of the call, so one pair of buttons stands for them all and names them all.
 * Without a customer nobody would be left: there the server refuses, and the page shows none.
 */
function AgentsActs({ call, mine }: { call: Call; mine: Supervision }) {
  const { panel } = useApp()
  const words = useWords()
  const [sure, setSure] = useState(false)
  const agents = call.parties.filter((party) => party.role === 'agent' && party.connected)
  const speaksWithAll = mine.mode === 'barge' || mine.mode === 'takeover'
  if (!speaksWithAll || agents.length === 0 || isInternal(call)) return null
  const name = agents.map((party) => shownName(party)).join(', ')
  const held = agents.every((party) => party.held)
  const remove = () => {
    setSure(!sure)
    if (sure) void panel.agent('remove')
  }
  return (
    <span className="attendee-acts">
      <button
        type="button"
        className="plain-button"
        aria-label={words.t(held ? 'panel.resume_named' : 'panel.hold_named', { name })}
        onClick={() => void panel.agent(held ? 'resume' : 'hold')}
      >
        {words.t(held ? 'panel.resume' : 'panel.hold')}
        {agents.length > 1 ? `: ${name}` : ''}
      </button>
      <button
        type="button"
        className="plain-button"
        aria-label={words.t(sure ? 'panel.remove_sure' : 'panel.remove_named', { name })}
        onClick={remove}
        onBlur={() => setSure(false)}
      >
        {sure
          ? words.t('panel.remove_sure', { name })
          : `${words.t('panel.remove')}${agents.length > 1 ? `: ${name}` : ''}`}
      </button>
    </span>
  )
}

interface Props {
  call: Call
  party: Party
  mine: Supervision
}

function Attendee({ call, party, mine }: Props) {
  const app = useApp()
  const words = useWords()
  const { tv } = useStore(app.preferences)
  const metered = (all: Meters) => all.get(call.id)?.find((one) => one.id === party.id)
  const heard = useSelect(app.board.meters, (all) => {
    const meter = metered(all)
    return meter && mine.party_id != null && meter.hears.includes(mine.party_id)
  })
  const dbfs = useSelect(app.board.meters, (all) => {
    const meter = metered(all)
    return meter && Math.round(meter.level_dbfs ?? QUIET_DBFS)
  })
  useNow()
  // What was measured before a break tells nothing of now.
  const known = app.board.isMeasured(call.id, Date.now())
  const hears = heard ?? hearsSupervisor(party, mine)
  const name = shownName(party, tv)
  const facts = [
    words.t(`panel.role.${party.role}` as 'panel.role.agent'),
    words.t(`panel.net.${party.net}` as 'panel.net.internal'),
    ...(party.held ? [words.t('panel.held')] : []),
    ...(party.muted ? [words.t('panel.muted')] : []),
    ...(party.connected ? [] : [words.t('panel.away')]),
    ...(party.quiet ? [words.t('panel.quiet')] : []),
  ]
  return (
    <li className="attendee">
      <span className="attendee-name">{name}</span>
      <span className="attendee-what">
        {facts.join(' · ')}
        {dbfs !== undefined && known ? <Level dbfs={dbfs} name={name} /> : null}
      </span>
      <span className={`lamp lamp-${known ? (hears ? 'lit' : 'dark') : 'unknown'}`}>
        <span className="lamp-dot" aria-hidden />
        {words.t(
          known ? (hears ? 'panel.hears_you' : 'panel.hears_you_not') : 'panel.hears_you_unknown',
        )}
      </span>
      {party.role === 'agent' && party.connected ? (
        <Acts call={call} party={party} mine={mine} name={name} />
      ) : null}
    </li>
  )
}

const QUIET_DBFS = -60

/** How loud somebody speaks, from -60 dBFS to 0. */
function Level({ dbfs, name }: { dbfs: number; name: string }) {
  const words = useWords()
  const label = words.t('panel.level_of', { name })
  return (
    <meter
      className="level"
      min={0}
      max={60}
      value={Math.max(0, dbfs - QUIET_DBFS)}
      aria-label={label}
    />
  )
}

function Acts({ call, party, mine, name }: Props & { name: string }) {
  const app = useApp()
  const words = useWords()
  const coached = mine.mode === 'whisper' && mine.targets.includes(party.id)
  const whisper = () => {
    if (mine.leg.kind === 'stream') return void attend(app, call.id, 'whisper')
    void app.panel.change({ mode: 'whisper', targets: [party.id] })
  }
  return (
    <span className="attendee-acts">
      {app.session.may('whisper') && mine.mode !== 'takeover' ? (
        <button
          type="button"
          className="plain-button"
          aria-pressed={coached}
          aria-label={words.t('mode.named', { mode: words.term('whisper'), name })}
          onClick={whisper}
        >
          {words.term('whisper')}
        </button>
      ) : null}
    </span>
  )
}
