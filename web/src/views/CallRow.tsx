// One live call in the list: why it wants help, who talks, how long, who watches, and the ways in.
import { ActionIcon, Menu } from '@mantine/core'
import { IconDots, IconEye, IconHandStop } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import { features } from '../api/features'
import { attend } from '../state/attend'
import { attention } from '../state/attention'
import type { Seen } from '../state/board'
import { agentOf, masked, otherOf, running, shownName } from '../state/people'
import { clockText } from '../state/time'
import { MODES, type Call } from '../api/types'
import { ModeButton } from '../ui/ModeButton'
import { Digits, StateMark, type StateName } from '../ui/State'
import { modeName, sayWhy, whyOff } from './say'
import { useAbilities, useApp, useNow, useStale, useStore, useWords } from './use'

const STATES: Record<string, StateName> = {
  queued: 'ringing',
  ringing: 'ringing',
  talking: 'on_call',
  held: 'held',
  ended: 'offline',
}

interface Props {
  seen: Seen
  raised: boolean
  first: boolean
}

export const CallRow = memo(function CallRow({ seen, raised, first }: Props) {
  const { call } = seen
  const { preferences } = useApp()
  const words = useWords()
  const { tv } = useStore(preferences)
  const agent = agentOf(call)
  const other = otherOf(call)
  const name = shownName(agent) || words.term('agent')
  const number = other && other.name ? other.number : ''
  return (
    <div
      role="row"
      className={`row call${raised ? ' raised' : ''}`}
      data-call={call.id}
      tabIndex={first ? 0 : -1}
    >
      <span role="gridcell" className="cell cell-why">
        <WhyCell seen={seen} />
      </span>
      <span role="gridcell" className="cell cell-agent">
        {tv ? (
          name
        ) : (
          <Link
            to="/calls/$callId"
            params={{ callId: call.id }}
            tabIndex={-1}
            aria-label={words.t('calls.open', { name })}
          >
            {name}
          </Link>
        )}
      </span>
      <span role="gridcell" className="cell cell-caller">
        <span>{shownName(other, tv) || words.t('calls.nobody')}</span>
        {number ? <span className="number">{tv ? masked(number) : number}</span> : null}
      </span>
      <span role="gridcell" className="cell cell-state">
        <StateMark
          state={STATES[call.state] ?? 'offline'}
          word={words.t(`state.${call.state}` as 'state.talking')}
        >
          {call.queue ? <span className="queue">{call.queue}</span> : null}
        </StateMark>
      </span>
      <Times seen={seen} />
      <span role="gridcell" className="cell cell-act">
        {tv ? null : <Ways call={call} name={name} />}
        <Watchers call={call} />
      </span>
    </div>
  )
})

function WhyCell({ seen }: { seen: Seen }) {
  const app = useApp()
  const words = useWords()
  const now = useNow()
  const why = attention(seen, now, app.limits(), app.board.sound(seen.call.id))
  if (why.code === 'none') return null
  return (
    <span className={`why${why.raised ? ' why-raised' : ''}`}>
      {why.code === 'help_requested' ? <IconHandStop size={14} aria-hidden /> : null}
      {sayWhy(words, why, now)}
      {why.code === 'help_requested' && features.help ? <Coming call={seen.call.id} /> : null}
    </span>
  )
}

/** Who comes to a raised hand, or the button that says that I do. */
function Coming({ call }: { call: string }) {
  const app = useApp()
  const words = useWords()
  const help = [...useStore(app.board).help.values()].find((one) => one.call_id === call)
  if (!help) return null
  if (help.coming) return <span>{words.t('hand.coming', { name: help.coming.name })}</span>
  if (!app.session.supervises) return null
  return (
    <button
      type="button"
      className="plain-button"
      tabIndex={-1}
      aria-label={words.t('hand.come_to', { name: help.agent.name })}
      // Who was quicker is on the board a moment later.
      onClick={() => void app.api.helpComing(help.id).catch(() => {})}
    >
      {words.t('hand.come')}
    </button>
  )
}

function Times({ seen: { call, seen_ms } }: { seen: Seen }) {
  const now = useNow()
  const talked = call.timing.talk_ms + (call.state === 'talking' ? Math.max(0, now - seen_ms) : 0)
  return (
    <>
      <span role="gridcell" className="cell cell-duration">
        <Digits>{clockText(now - Date.parse(call.started_at))}</Digits>
      </span>
      <span role="gridcell" className="cell cell-talk">
        <Digits>{clockText(talked)}</Digits>
      </span>
    </>
  )
}

function Ways({ call, name }: { call: Call; name: string }) {
  const app = useApp()
  const words = useWords()
  const abilities = useAbilities(call)
  const stale = useStale()
  useStore(app.session)
  if (!app.session.supervises) return null
  const may = MODES.filter((mode) => app.session.may(mode) || abilities?.[mode])
  return (
    <span className="ways">
      {may.map((mode) => (
        <ModeButton
          key={mode}
          mode={mode}
          small
          tabIndex={-1}
          word={mode === 'takeover' ? `${words.term(mode)}…` : words.term(mode)}
          name={words.t('mode.named', { mode: modeName(words, call, mode), name })}
          off={stale && mode !== 'listen' ? words.t('off.stale') : whyOff(words, abilities?.[mode])}
          onPick={() => void attend(app, call.id, mode)}
        />
      ))}
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            tabIndex={-1}
            aria-label={words.t('calls.more', { name })}
          >
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} to={`/calls/${call.id}`}>
            {words.t('panel.see_call')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </span>
  )
}

function Watchers({ call }: { call: Call }) {
  const words = useWords()
  const watching = running(call)
  if (watching.length === 0) return null
  return (
    <span className="watchers">
      <IconEye size={14} aria-hidden />
      {watching
        .map((one) => words.t('calls.watched', { names: one.supervisor.name, mode: one.mode }))
        .join(' · ')}
    </span>
  )
}
