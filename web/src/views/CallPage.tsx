// One call, live or ended: its times with the rule of each, who is on it, who supervised, and what happened.
import { Table, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { refusedBy } from '../api/client'
import { MODES, type Call, type Party, type Supervision } from '../api/types'
import { attend } from '../state/attend'
import { agentOf, masked, otherOf, shownName } from '../state/people'
import { clockText } from '../state/time'
import type { Catalogue, MessageId } from '../words/catalogue'
import { ModeButton } from '../ui/ModeButton'
import { modeName, sayReason, sayRefusal, whyOff } from './say'
import { useAbilities, useApp, useNow, useStore, useWords } from './use'

export function CallPage() {
  const app = useApp()
  const words = useWords()
  const { callId } = useParams({ from: '/calls/$callId' })
  const live = useStore(app.board).calls.get(callId)?.call
  const kept = useQuery({
    queryKey: ['call', callId, live ? 'live' : 'ended'],
    queryFn: () => app.api.call(callId),
    retry: false,
    refetchInterval: live ? 2_000 : false,
  })
  const call = kept.data ?? live
  if (!call) {
    const refused = kept.error ? refusedBy(kept.error) : null
    const text =
      refused?.status === 404
        ? words.t('call.missing')
        : refused
          ? sayRefusal(words, refused)
          : words.t('call.loading')
    return (
      <div className="page">
        <h1>{words.term('call_status')}</h1>
        <p role="status">{text}</p>
        <Link to="/">{words.t('call.back')}</Link>
      </div>
    )
  }
  const names = [shownName(agentOf(call)), shownName(otherOf(call))].filter((name) => name !== '')
  return (
    <div className="page">
      <h1>{words.t('call.title', { name: names.join(' ↔ ') })}</h1>
      <p className="facts">
        {words.t(`state.${call.state}` as 'state.talking')} ·{' '}
        <time dateTime={call.started_at}>{dayAndTime(words, call.started_at)}</time>
        {call.end_reason ? ` · ${sayReason(words, call.end_reason)}` : ''}
      </p>
      <Strip call={call} />
      {call.state === 'ended' ? null : <Ways call={call} />}
      <Parties call={call} />
      <Supervisions call={call} />
      <Timeline call={call} />
    </div>
  )
}

const dayAndTime = (words: Catalogue, at: string) =>
  new Date(at).toLocaleString(words.language === 'de' ? 'de' : 'en', {
    dateStyle: 'medium',
    timeStyle: 'medium',
  })
const timeOfDay = (words: Catalogue, at: string) =>
  new Date(at).toLocaleTimeString(words.language === 'de' ? 'de' : 'en', { timeStyle: 'medium' })

function Strip({ call }: { call: Call }) {
  const words = useWords()
  useNow()
  const { timing } = call
  const parts: [MessageId, number, MessageId | null][] = [
    ['call.duration', timing.duration_ms, 'call.rule.duration'],
    ['call.talk', timing.talk_ms, 'call.rule.talk'],
    ['call.hold', timing.hold_ms, null],
    ['call.queue', timing.queue_ms, null],
    ['call.ring', timing.ring_ms, null],
    ['call.listen', timing.listen_ms, null],
    ['call.whisper', timing.whisper_ms, 'call.rule.whisper'],
    ['call.barge', timing.barge_ms, 'call.rule.barge'],
    ['call.takeover', timing.takeover_ms, 'call.rule.barge'],
  ]
  const shown = parts.filter(([id, ms]) => ms > 0 || id === 'call.duration' || id === 'call.talk')
  return (
    <dl className="strip" aria-label={words.t('call.strip')}>
      {shown.map(([id, ms, rule]) => (
        <Tooltip
          key={id}
          label={rule ? words.t(rule) : ''}
          disabled={!rule}
          multiline
          w={280}
          events={{ hover: true, focus: true, touch: true }}
        >
          <div tabIndex={rule ? 0 : undefined}>
            <dt>{words.t(id)}</dt>
            <dd className="digits">{clockText(ms)}</dd>
          </div>
        </Tooltip>
      ))}
    </dl>
  )
}

function Ways({ call }: { call: Call }) {
  const app = useApp()
  const words = useWords()
  const abilities = useAbilities(call)
  if (!app.session.supervises) return null
  return (
    <div className="ways">
      {MODES.filter((mode) => app.session.may(mode)).map((mode) => (
        <ModeButton
          key={mode}
          mode={mode}
          small
          word={mode === 'takeover' ? `${words.term(mode)}…` : words.term(mode)}
          name={modeName(words, call, mode)}
          off={whyOff(words, abilities?.[mode])}
          onPick={() => void attend(app, call.id, mode)}
        />
      ))}
    </div>
  )
}

function Parties({ call }: { call: Call }) {
  const app = useApp()
  const words = useWords()
  const { tv } = useStore(app.preferences)
  const name = (id: string) => shownName(call.parties.find((party) => party.id === id) ?? null, tv)
  const hears = (party: Party) =>
    party.hears
      .map(name)
      .filter((n) => n !== '')
      .join(', ') || words.t('call.hears_nobody')
  const facts = (party: Party) =>
    [
      words.t(`panel.role.${party.role}` as 'panel.role.agent'),
      words.t(`panel.net.${party.net}` as 'panel.net.internal'),
      ...(party.held ? [words.t('panel.held')] : []),
      ...(party.muted ? [words.t('panel.muted')] : []),
    ].join(' · ')
  const live = call.state !== 'ended'
  return (
    <section>
      <h2>{words.t('call.parties')}</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label={words.t('call.parties')}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.t('call.party')}</Table.Th>
              <Table.Th>{words.t('call.role')}</Table.Th>
              <Table.Th>{words.t('call.number')}</Table.Th>
              {live ? <Table.Th>{words.t('call.hears')}</Table.Th> : null}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {call.parties.map((party) => (
              <Table.Tr key={party.id}>
                <Table.Td>{shownName(party, tv)}</Table.Td>
                <Table.Td>{facts(party)}</Table.Td>
                <Table.Td>{tv ? masked(party.number) : party.number}</Table.Td>
                {live ? <Table.Td>{hears(party)}</Table.Td> : null}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  )
}

function Supervisions({ call }: { call: Call }) {
  const words = useWords()
  const span = (one: Supervision) =>
    one.spans
      .map((part) => {
        const to = part.to ? timeOfDay(words, part.to) : words.t('call.running')
        return `${words.term(part.mode)} ${words.t('call.from_to', { from: timeOfDay(words, part.from), to })}`
      })
      .join(' · ')
  return (
    <section>
      <h2>{words.t('call.supervisions')}</h2>
      {call.supervisions.length === 0 ? (
        <p className="empty">{words.t('call.supervisions_none')}</p>
      ) : null}
      <ul className="supervisions">
        {call.supervisions.map((one) => (
          <li key={one.id}>
            <strong>{one.supervisor.name}</strong> <span>{span(one)}</span>
            {one.reason ? <span> · {one.reason}</span> : null}
            {one.ended_at ? (
              <span>
                {' '}
                ·{' '}
                {words.t('call.ended', {
                  time: timeOfDay(words, one.ended_at),
                  why: sayReason(words, one.end_reason ?? 'left'),
                })}
              </span>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Timeline({ call }: { call: Call }) {
  const words = useWords()
  const say = (what: string) =>
    words.has(`what.${what}`) ? words.t(`what.${what}` as MessageId) : what.replaceAll('_', ' ')
  const detail = (text: string) =>
    words.has(`reason.${text}`) ? sayReason(words, text) : isMode(text) ? words.term(text) : text
  return (
    <section>
      <h2>{words.t('call.timeline')}</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label={words.t('call.timeline')}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.t('call.when')}</Table.Th>
              <Table.Th>{words.t('call.who')}</Table.Th>
              <Table.Th>{words.t('call.what')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {call.timeline.map((moment, n) => (
              <Table.Tr key={`${moment.at}${n}`}>
                <Table.Td className="digits">
                  <time dateTime={moment.at} title={moment.at}>
                    {timeOfDay(words, moment.at)}
                  </time>
                </Table.Td>
                <Table.Td>{moment.who}</Table.Td>
                <Table.Td>
                  {say(moment.what)} {detail(moment.detail)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  )
}

const isMode = (text: string): text is (typeof MODES)[number] =>
  (MODES as readonly string[]).includes(text)
