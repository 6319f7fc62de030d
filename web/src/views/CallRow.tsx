// One live call in the list: why it wants help, who talks, how long, who watches, and the ways in.
import { Menu } from '@mantine/core'
import { IconDots, IconEye, IconHandStop } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { memo, useCallback, useRef, useState } from 'react'
import { features } from '../api/features'
import { attend } from '../state/attend'
import type { Seen } from '../state/board'
import { agentOf, masked, otherOf, running, shownName } from '../state/people'
import { clockText } from '../state/time'
import { refusedBy, type Refused } from '../api/client'
import { MODES, type Call, type Mode } from '../api/types'
import { ModeButton } from '../ui/ModeButton'
import { StateMark, type StateName } from '../ui/State'
import { modeName, sayReason, sayRefusal, sayWhy, whyOff } from './say'
import type { Catalogue } from '../words/catalogue'
import { wordsFor } from '../words/terms'
import { CallLink } from './CallLink'
import { Since, Ticking } from './Ticking'
import { useAbilities, useApp, useSelect, useStale, useStore, useWords } from './use'

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
  // Why a way in is off is asked of the call that one turns to, not of a hundred.
  const [about, setAbout] = useState({ pointer: false, focus: false })
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
      onPointerEnter={() => setAbout((now) => ({ ...now, pointer: true }))}
      onPointerLeave={() => setAbout((now) => ({ ...now, pointer: false }))}
      onFocus={() => setAbout((now) => (now.focus ? now : { ...now, focus: true }))}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget))
          setAbout((now) => ({ ...now, focus: false }))
      }}
    >
      <span role="gridcell" className="cell cell-why">
        <WhyCell seen={seen} />
      </span>
      <span role="gridcell" className="cell cell-agent">
        {tv ? (
          name
        ) : (
          <CallLink callId={call.id} tabIndex={-1} label={words.t('calls.open', { name })}>
            {name}
          </CallLink>
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
        {tv ? null : <Ways call={call} name={name} about={about.pointer || about.focus} />}
        <Watchers call={call} />
      </span>
    </div>
  )
})

function WhyCell({ seen }: { seen: Seen }) {
  const app = useApp()
  const words = useWords()
  const why = useSelect(app.whys, (all) => all.get(seen.call.id))
  if (!why || why.code === 'none') return null
  return (
    <span className={`why${why.raised ? ' why-raised' : ''}`}>
      {why.code === 'help_requested' ? <IconHandStop size={14} aria-hidden /> : null}
      <Ticking spoken text={(now) => sayWhy(words, why, now)} />
      {why.code === 'help_requested' && features.help ? <Coming call={seen.call.id} /> : null}
    </span>
  )
}

/** Who comes to a raised hand, or the button that says that I do. */
function Coming({ call }: { call: string }) {
  const app = useApp()
  const words = useWords()
  const [problem, setProblem] = useState<Refused | null>(null)
  const help = useSelect(app.board, (board) =>
    [...board.help.values()].find((one) => one.call_id === call),
  )
  if (!help) return null
  if (help.coming) return <span>{words.t('hand.coming', { name: help.coming.name })}</span>
  if (!app.session.supervises) return null
  const come = async () => {
    setProblem(null)
    // Who was quicker is on the board a moment later.
    await app.api.helpComing(help.id).catch((error: unknown) => setProblem(refusedBy(error)))
  }
  return (
    <>
      <button
        type="button"
        className="plain-button"
        tabIndex={-1}
        aria-label={words.t('hand.come_to', { name: help.agent.name })}
        onClick={() => void come()}
      >
        {words.t('hand.come')}
      </button>
      {problem ? <span role="alert">{sayRefusal(words, problem)}</span> : null}
    </>
  )
}

function Times({ seen: { call, seen_ms } }: { seen: Seen }) {
  const talks = call.state === 'talking'
  const talked = (now: number) => call.timing.talk_ms + (talks ? Math.max(0, now - seen_ms) : 0)
  return (
    <>
      <span role="gridcell" className="cell cell-duration">
        <Since at={call.started_at} />
      </span>
      <span role="gridcell" className="cell cell-talk">
        <Ticking text={(now) => clockText(talked(now))} />
      </span>
    </>
  )
}

interface WaysProps {
  call: Call
  name: string
  about: boolean
}

function Ways({ call, name, about }: WaysProps) {
  const app = useApp()
  const words = useWords()
  const abilities = useAbilities(call, about)
  const stale = useStale()
  useStore(app.session)
  const pick = useCallback((mode: Mode) => void attend(app, call.id, mode), [app, call.id])
  if (!app.session.supervises) return null
  const off = (mode: Mode) => {
    if (stale && mode !== 'listen') return words.t('off.stale')
    if (abilities) return whyOff(words, abilities[mode])
    // What the rights alone say is known without asking.
    return app.session.may(mode) ? null : sayReason(words, 'not_allowed')
  }
  return (
    <span className="ways">
      {MODES.map((mode) => (
        <ModeButton
          key={mode}
          mode={mode}
          small
          tabIndex={-1}
          word={mode === 'takeover' ? `${words.term(mode)}…` : words.term(mode)}
          name={words.t('mode.named', { mode: modeName(words, call, mode), name })}
          off={off(mode)}
          onPick={pick}
        />
      ))}
      <More callId={call.id} name={name} />
    </span>
  )
}

/** A menu for each of a hundred rows is made when it is asked for. */
const More = memo(function More({ callId, name }: { callId: string; name: string }) {
  const words = useWords()
  const [asked, setAsked] = useState(false)
  const place = useRef<HTMLButtonElement>(null)
  const opener = (
    <button
      ref={place}
      type="button"
      className="more"
      tabIndex={-1}
      aria-haspopup="menu"
      aria-label={words.t('calls.more', { name })}
      onClick={() => setAsked(true)}
    >
      <IconDots size={16} aria-hidden />
    </button>
  )
  if (!asked) return opener
  return (
    <Menu position="bottom-end" shadow="md" defaultOpened onClose={() => place.current?.focus()}>
      <Menu.Target>{opener}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={`/calls/${callId}`}>
          {words.t('panel.see_call')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
})

function Watchers({ call }: { call: Call }) {
  const words = useWords()
  const watching = running(call)
  if (watching.length === 0) return null
  return (
    <span className="watchers">
      <IconEye size={14} aria-hidden />
      {watching.map(({ supervisor, mode }) => watched(words, supervisor.name, mode)).join(' · ')}
    </span>
  )
}

/** As one says it; where the organisation has another word for the mode, by that. */
function watched(words: Catalogue, names: string, mode: Mode): string {
  const term = words.term(mode)
  return term === wordsFor(words.language, 'undertone')[mode]
    ? words.t('calls.watched', { names, mode })
    : words.t('calls.watched_as', { names, term })
}
