// The agent's own page: the call one is on, and in words who of the supervisors hears, speaks to one, or
// speaks with all. Shows what the server tells this agent; a listener whom policy hides is not told.
import { Button, Group } from '@mantine/core'
import { IconEar, IconHeadset, IconUsersPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { refusedBy } from '../api/client'
import { features } from '../api/features'
import type { Call, Supervision } from '../api/types'
import type { Seen } from '../state/board'
import { otherOf, running, shownName } from '../state/people'
import { clockText } from '../state/time'
import { Digits, StateMark } from '../ui/State'
import { Over } from './console/Over'
import { OwnState } from './console/OwnState'
import { Ticks } from './console/Ticks'
import { Hand } from './Hand'
import { CallsHere } from './Incoming'
import { Waiting } from './LiveCalls'
import { Replies } from './Replies'
import { sayRefusal } from './say'
import { PageTitle } from './PageTitle'
import { useApp, useNow, useStore, useWords } from './use'
import { WrapUpQuestion } from './WrapUp'
import { useAgentKeys } from './useKeys'

const ICONS = {
  listen: IconEar,
  whisper: IconHeadset,
  barge: IconUsersPlus,
  takeover: IconUsersPlus,
}

export function AgentConsole() {
  const app = useApp()
  const words = useWords()
  const session = useStore(app.session)
  const board = useStore(app.board)
  const me = session.phase === 'in' ? session.me : null
  const mine = me ? board.agents.get(me.person.id) : undefined
  const calls = [...board.calls.values()].filter(({ call }) =>
    call.parties.some((party) => party.person_id === me?.person.id),
  )
  return (
    <div className="page">
      <PageTitle>{words.t('nav.console')}</PageTitle>
      {mine ? <OwnState agent={mine} /> : null}
      {features.phone ? <Ticks /> : null}
      <CallsHere />
      {features.feedback ? <WrapUpQuestion /> : null}
      {features.outcome ? <Over /> : null}
      {board.loaded ? null : <Waiting />}
      {board.loaded && calls.length === 0 ? (
        <p className="empty">{words.t('agent.no_call')}</p>
      ) : null}
      {calls.map((seen, n) => (
        <OwnCall key={seen.call.id} seen={seen} me={me?.person.id ?? ''} keyed={n === 0} />
      ))}
    </div>
  )
}

interface OwnProps {
  seen: Seen
  me: string
  /** The keys mean this call: of several the first. */
  keyed: boolean
}

function OwnCall({ seen: { call }, me, keyed }: OwnProps) {
  const words = useWords()
  const now = useNow()
  const own = call.parties.find((party) => party.person_id === me)
  const other =
    call.parties.find((party) => party.id !== own?.id && party.role !== 'supervisor') ??
    otherOf(call)
  const rings = own !== undefined && !own.connected
  return (
    <section className="pane own-call" aria-label={shownName(other)}>
      <p className="own-call-head">
        <strong>{shownName(other) || words.t('calls.unknown')}</strong>
        {other?.name ? <span className="number">{other.number}</span> : null}
        <StateMark
          state={rings ? 'ringing' : call.state === 'held' ? 'held' : 'on_call'}
          word={words.t(`state.${call.state}` as 'state.talking')}
        />
        <Digits>{clockText(now - Date.parse(call.answered_at ?? call.started_at))}</Digits>
      </p>
      <div role="status" aria-live="assertive">
        {running(call).map((one) => (
          <Coached key={one.id} call={call} one={one} me={own?.id ?? ''} />
        ))}
      </div>
      {features.prompts ? <Replies call={call} me={own?.id ?? ''} keyed={keyed} /> : null}
      {rings ? <Rings /> : <Acts call={call} keyed={keyed} />}
      {features.help && !rings ? <Hand call={call} /> : null}
    </section>
  )
}

function Rings() {
  const app = useApp()
  const words = useWords()
  const { phase } = useStore(app.phone)
  return phase === 'up' ? null : <p>{words.t('agent.rings')}</p>
}

/** What a supervisor does here, and what the agent is to do about it. */
function Coached({ call, one, me }: { call: Call; one: Supervision; me: string }) {
  const words = useWords()
  const name = one.supervisor.name
  const Icon = ICONS[one.mode]
  const text =
    one.mode === 'whisper'
      ? one.targets.includes(me)
        ? words.t('coached.whisper', { name })
        : words.t('coached.whisper_other', { name })
      : words.t(`coached.${one.mode}`, { name })
  return (
    <p className={`sentence sentence-${one.mode}`} data-call={call.id}>
      <Icon size={20} aria-hidden />
      <span>{text}</span>
    </p>
  )
}

function Acts({ call, keyed }: { call: Call; keyed: boolean }) {
  const app = useApp()
  const words = useWords()
  const [problem, setProblem] = useState<string | null>(null)
  const held = call.state === 'held'
  useStore(app.phone)
  const { muted } = useStore(app.microphone)
  const here = app.microphone.ownCall === call.id
  const act = async (doing: Promise<unknown>) => {
    setProblem(null)
    await doing.catch((error: unknown) => setProblem(sayRefusal(words, refusedBy(error))))
    app.live.nudge()
  }
  const keys = {
    hold: () => void act(held ? app.api.resume(call.id) : app.api.hold(call.id)),
    end: () => void act(app.api.hangUp(call.id)),
    ...(features.help ? { hand: () => app.hand.raise(call.id) } : {}),
    ...(here ? { silence: () => app.microphone.mute(muted !== call.id) } : {}),
  }
  useAgentKeys(keyed ? keys : {})
  return (
    <>
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => void act(held ? app.api.resume(call.id) : app.api.hold(call.id))}
        >
          {words.t(held ? 'panel.resume' : 'panel.hold')}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          color="red"
          onClick={() => void act(app.api.hangUp(call.id))}
        >
          {words.t('agent.end')}
        </Button>
      </Group>
      {held ? <p className="facts">{words.t('agent.held')}</p> : null}
      {problem ? <p role="alert">{problem}</p> : null}
    </>
  )
}
