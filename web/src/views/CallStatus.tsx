// Who is free, who is on a call, who is away: exactly three groups. A speaker stands at the people who are
// on a call, and at nobody else; it starts Listen.
import { Popover } from '@mantine/core'
import { IconVolume } from '@tabler/icons-react'
import { memo, useDeferredValue, useState, type KeyboardEvent } from 'react'
import type { Agent } from '../api/types'
import { attend } from '../state/attend'
import { groupsOf, type Group } from '../state/groups'
import { StateMark, type StateName } from '../ui/State'
import { CallLink } from './CallLink'
import { Waiting } from './LiveCalls'
import { PageTitle } from './PageTitle'
import { sayAway } from './say'
import { Since } from './Ticking'
import { useApp, useSelect, useStore, useWords } from './use'

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
  const loaded = useSelect(app.board, (board) => board.loaded)
  const agents = useDeferredValue(useSelect(app.board, (board) => board.agents))
  const [at, setAt] = useState<string | null>(null)
  const groups = groupsOf(agents.values())
  const Below = heading === 'h1' ? 'h2' : 'h3'
  const title = words.term('call_status')
  // Two hundred people are one tab stop; arrows lead through them.
  const stop = at !== null && agents.get(at)?.call_id ? at : firstOf(groups)
  return (
    <section className="pane people" aria-labelledby="call-status">
      <div className="pane-head">
        {heading === 'h1' ? (
          <PageTitle id="call-status">{title}</PageTitle>
        ) : (
          <h2 id="call-status">{title}</h2>
        )}
      </div>
      {loaded ? null : <Waiting />}
      <div
        onKeyDown={move}
        onFocus={(event) =>
          setAt(event.target.closest<HTMLElement>('[data-person]')?.dataset['person'] ?? null)
        }
      >
        {loaded
          ? groups.map(({ group, people }) => (
              <div key={group} className={`group group-${group}`}>
                <Below>
                  {words.t(`group.${group}`)} <span className="digits">({people.length})</span>
                </Below>
                {people.length === 0 ? <p className="empty">{words.t('group.empty')}</p> : null}
                <ul>
                  {people.map((agent) => (
                    <Person key={agent.id} agent={agent} group={group} stop={agent.id === stop} />
                  ))}
                </ul>
              </div>
            ))
          : null}
      </div>
      <WhyNoSpeaker />
    </section>
  )
}

const firstOf = (groups: ReturnType<typeof groupsOf>) =>
  groups.flatMap(({ people }) => people).find((agent) => agent.call_id)?.id ?? null

/** Up and down to the next person who can be gone to, right to the speaker and left to the name. */
function move(event: KeyboardEvent<HTMLElement>): void {
  const person = (event.target as HTMLElement).closest<HTMLElement>('[data-person]')
  const by = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (!person || by === undefined) return
  const across = event.key === 'ArrowRight' || event.key === 'ArrowLeft'
  const stops = across ? person : event.currentTarget
  const all = [...stops.querySelectorAll<HTMLElement>(across ? 'a, button' : 'a.person-name')]
  const from = across ? (event.target as HTMLElement) : person.querySelector<HTMLElement>('a')
  const turned = across && document.documentElement.dir === 'rtl' ? -by : by
  if (from) all[Math.max(0, all.indexOf(from) + turned)]?.focus()
  event.preventDefault()
}

interface PersonProps {
  agent: Agent
  group: Group
  /** Has the list's one tab stop. */
  stop: boolean
}

const Person = memo(function Person({ agent, group, stop }: PersonProps) {
  const app = useApp()
  const words = useWords()
  const { tv } = useStore(app.preferences)
  const session = useStore(app.session)
  const me = session.phase === 'in' ? session.me?.person.id : null
  const word =
    group === 'not_available'
      ? agent.reason
        ? sayAway(words, agent.reason)
        : words.t(`agent.${agent.state}` as 'agent.wrap_up')
      : undefined
  const callId = agent.call_id ?? ''
  const speaker =
    group === 'on_call' && callId !== '' && !tv && agent.id !== me && app.session.may('listen')
  return (
    <li className="person" data-person={agent.id}>
      <StateMark state={agent.state as StateName} {...(word ? { word } : {})} />
      {callId && !tv ? (
        <CallLink callId={callId} className="person-name" tabIndex={stop ? 0 : -1}>
          {agent.name}
        </CallLink>
      ) : (
        <span className="person-name">{agent.name}</span>
      )}
      <Since at={agent.since} />
      {speaker ? (
        <button
          type="button"
          className="speaker"
          tabIndex={-1}
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
