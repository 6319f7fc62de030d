// One call, live or ended: its times with the rule of each, who is on it and heard whom, who supervised,
// and what happened.
import { Table, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { refusedBy } from '../api/client'
import { features } from '../api/features'
import { MODES, type Call, type Party, type Supervision } from '../api/types'
import { attend } from '../state/attend'
import { agentOf, masked, otherOf, shownName } from '../state/people'
import { clockText } from '../state/time'
import { ModeButton } from '../ui/ModeButton'
import { Account } from './call/Account'
import { Happened } from './call/Happened'
import { dayAndTime, timeOfDay } from './call/times'
import { Failed } from './Failed'
import { modeName, sayReason, whyOff } from './say'
import { PageTitle } from './PageTitle'
import { useAbilities, useApp, useNow, useSelect, useStore, useWords } from './use'

export function CallPage() {
  const app = useApp()
  const words = useWords()
  const { callId } = useParams({ from: '/calls/$callId' })
  const live = useSelect(app.board, (board) => board.calls.get(callId)?.call)
  const ofThis = <T,>(before: T | undefined, query?: { queryKey: readonly unknown[] }) =>
    query?.queryKey[1] === callId ? before : undefined
  const kept = useQuery({
    queryKey: ['call', callId, live ? 'live' : 'ended'],
    queryFn: () => app.api.call(callId),
    retry: false,
    placeholderData: ofThis,
  })
  const heard = useQuery({
    queryKey: ['heard', callId, live ? 'live' : 'ended'],
    queryFn: () => app.api.heard(callId),
    enabled: features.heard,
    retry: false,
    placeholderData: ofThis,
    refetchInterval: live ? 2_000 : false,
  })
  // What is told is newer than what was asked for; at the end what was known stands until the record has come.
  const call = live ?? kept.data
  const failed = (
    <Failed
      error={kept.error ?? heard.error}
      at_ms={call && !live ? kept.dataUpdatedAt : 0}
      again={() => void Promise.all([kept.refetch(), features.heard ? heard.refetch() : null])}
    />
  )
  if (!call) {
    const refused = kept.error ? refusedBy(kept.error) : null
    const text = refused?.status === 404 ? words.t('call.missing') : words.t('call.loading')
    return (
      <div className="page">
        <PageTitle>{words.term('call_status')}</PageTitle>
        {refused && refused.status !== 404 ? failed : <p role="status">{text}</p>}
        <Link to="/">{words.t('call.back')}</Link>
      </div>
    )
  }
  const names = [shownName(agentOf(call)), shownName(otherOf(call))].filter((name) => name !== '')
  return (
    <div className="page">
      <PageTitle>{words.t('call.title', { name: names.join(' ↔ ') })}</PageTitle>
      <p className="facts">
        {words.t(`state.${call.state}` as 'state.talking')} ·{' '}
        <time dateTime={call.started_at}>{dayAndTime(words, call.started_at)}</time>
        {call.end_reason ? ` · ${sayReason(words, call.end_reason)}` : ''}
      </p>
      {failed}
      <Strip call={call} />
      {call.state === 'ended' ? null : <Ways call={call} />}
      <Parties call={call} />
      <Supervisions call={call} />
      <Account call={call} heard={heard.data ?? null} />
      <Happened call={call} />
    </div>
  )
}

/** Each time with its rule in the tooltip. The first five are there also when they are nothing. */
const STRIP = [
  { part: 'duration', always: true },
  { part: 'talk', always: true },
  { part: 'hold', always: true },
  { part: 'whisper', always: true },
  { part: 'barge', always: true },
  { part: 'takeover', always: false },
  { part: 'listen', always: false },
  { part: 'queue', always: false },
  { part: 'ring', always: false },
] as const

function Strip({ call }: { call: Call }) {
  const words = useWords()
  useNow()
  const { timing } = call
  const shown = STRIP.filter(({ part, always }) => always || timing[`${part}_ms`] > 0)
  return (
    <dl className="strip" aria-label={words.t('call.strip')}>
      {shown.map(({ part }) => (
        <Tooltip
          key={part}
          label={words.t(`call.rule.${part}`)}
          multiline
          w={280}
          events={{ hover: true, focus: true, touch: true }}
        >
          <div tabIndex={0}>
            <dt>{words.t(`call.${part}`)}</dt>
            <dd className="digits">{clockText(timing[`${part}_ms`])}</dd>
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
