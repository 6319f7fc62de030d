// Who is free, who is on a call, who is away: exactly three groups. A speaker stands at the people who are
// on a call, and at nobody else; it starts Listen.
import { Popover } from '@mantine/core'
import { IconVolume } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { Agent } from '../api/types'
import { attend } from '../state/attend'
import { clockText } from '../state/time'
import { Digits, StateMark, type StateName } from '../ui/State'
import { Waiting } from './LiveCalls'
import { useApp, useNow, useStore, useWords } from './use'

const GROUPS = ['available', 'on_call', 'not_available'] as const
type Group = (typeof GROUPS)[number]

const groupOf = (agent: Agent): Group =>
  agent.state === 'available'
    ? 'available'
    : agent.state === 'on_call'
      ? 'on_call'
      : 'not_available'

export function CallStatusPage() {
  return (
    <div className="wallboard">
      <CallStatus heading="h1" />
    </div>
  )
}

export function CallStatus({ heading = 'h2' }: { heading?: 'h1' | 'h2' }) {
  const app = useApp()
  const words = useWords()
  const board = useStore(app.board)
  const Heading = heading
  const Below = heading === 'h1' ? 'h2' : 'h3'
  const agents = [...board.agents.values()].sort(
    (a, b) => Date.parse(a.since) - Date.parse(b.since),
  )
  return (
    <section className="pane people" aria-labelledby="call-status">
      <div className="pane-head">
        <Heading id="call-status">{words.term('call_status')}</Heading>
      </div>
      {board.loaded ? null : <Waiting />}
      {board.loaded
        ? GROUPS.map((group) => {
            const here = agents.filter((agent) => groupOf(agent) === group)
            return (
              <div key={group} className={`group group-${group}`}>
                <Below>
                  {words.t(`group.${group}`)} <span className="digits">({here.length})</span>
                </Below>
                {here.length === 0 ? <p className="empty">{words.t('group.empty')}</p> : null}
                <ul>
                  {here.map((agent) => (
                    <Person key={agent.id} agent={agent} group={group} />
                  ))}
                </ul>
              </div>
            )
          })
        : null}
      <WhyNoSpeaker />
    </section>
  )
}

const Person = memo(function Person({ agent, group }: { agent: Agent; group: Group }) {
  const app = useApp()
  const words = useWords()
  const { tv } = useStore(app.preferences)
  useStore(app.session)
  const word =
    group === 'not_available'
      ? (agent.reason ?? words.t(`agent.${agent.state}` as 'agent.wrap_up'))
      : undefined
  const speaker = group === 'on_call' && agent.call_id && !tv && app.session.may('listen')
  const callId = agent.call_id ?? ''
  return (
    <li className="person">
      <StateMark state={agent.state as StateName} {...(word ? { word } : {})} />
      {callId && !tv ? (
        <Link to="/calls/$callId" params={{ callId }} className="person-name">
          {agent.name}
        </Link>
      ) : (
        <span className="person-name">{agent.name}</span>
      )}
      <Since at={agent.since} />
      {speaker ? (
        <button
          type="button"
          className="speaker"
          aria-label={words.t('status.listen', { name: agent.name })}
          title={words.t('status.listen', { name: agent.name })}
          onClick={() => void attend(app, callId, 'listen')}
        >
          <IconVolume size={18} aria-hidden />
        </button>
      ) : null}
    </li>
  )
})

function Since({ at }: { at: string }) {
  const now = useNow()
  return <Digits>{clockText(now - Date.parse(at))}</Digits>
}

function WhyNoSpeaker() {
  const words = useWords()
  return (
    <Popover width={300} position="top" shadow="md" withArrow>
      <Popover.Target>
        <button type="button" className="plain-button why-link">
          {words.t('status.why_link')}
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <p className="fact-title">{words.t('status.why_title')}</p>
        <p>{words.t('status.why_call')}</p>
        <p>{words.t('status.why_right')}</p>
        <p>{words.t('status.why_own')}</p>
      </Popover.Dropdown>
    </Popover>
  )
}
