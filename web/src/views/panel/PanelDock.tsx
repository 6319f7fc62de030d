// The Audio Monitoring panel, docked bottom right, over every page. Says at every moment who hears one.
import {
  IconEar,
  IconArrowsExchange,
  IconMessage2,
  IconUsersPlus,
  IconX,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { Suspense, lazy, useEffect, useRef, useState, type RefObject } from 'react'
import { features } from '../../api/features'
import { refusedBy, type Refused } from '../../api/client'
import type { Mode } from '../../api/types'
import { leave } from '../../state/attend'
import { tookOver } from '../../state/outcome'
import type { Panel } from '../../state/panel'
import { agentOf, otherOf, shownName } from '../../state/people'
import { clockText } from '../../state/time'
import { Digits } from '../../ui/State'
import { sayReason, sayRefusal } from '../say'
import { useApp, useNow, useSentence, useStore, useWords } from '../use'
import { Attendees } from './Attendees'
import { Counters } from './Counters'
import { ModeBar } from './ModeBar'
import { Lines } from './Lines'
import { Prompts } from './Prompts'
import { Sound } from './Sound'

const Console = lazy(() => import('./Console').then(({ Console }) => ({ default: Console })))

const Marks = lazy(() => import('./Marks').then(({ Marks }) => ({ default: Marks })))

const Outcome = lazy(() => import('./Outcome').then(({ Outcome }) => ({ default: Outcome })))

const HearAs = lazy(() => import('./HearAs').then(({ HearAs }) => ({ default: HearAs })))

const ICONS = {
  listen: IconEar,
  whisper: IconMessage2,
  barge: IconUsersPlus,
  takeover: IconArrowsExchange,
}

export function PanelDock() {
  const { panel } = useApp()
  const now = useStore(panel)
  return now.phase === 'closed' ? null : <Dock panel={now} />
}

function Dock({ panel: now }: { panel: Panel }) {
  const words = useWords()
  const dock = useRef<HTMLElement>(null)
  useRoom(dock)
  useFocus(dock)
  return (
    <aside
      ref={dock}
      id="panel"
      tabIndex={-1}
      className={`dock dock-${now.supervision?.mode ?? 'listen'}`}
      aria-label={words.term('panel')}
    >
      <Head panel={now} />
      {now.phase === 'ended' ? <Ended panel={now} /> : <Attending panel={now} />}
    </aside>
  )
}

/** What is under the panel can be scrolled out from under it: the page is longer by the panel's height. */
function useRoom(dock: RefObject<HTMLElement | null>) {
  useEffect(() => {
    const { current } = dock
    if (!current) return
    const root = document.documentElement.style
    const seen = new ResizeObserver(() => root.setProperty('--dock', `${current.offsetHeight}px`))
    seen.observe(current)
    return () => {
      seen.disconnect()
      root.removeProperty('--dock')
    }
  }, [dock])
}

/** Opened by keyboard it has the focus, and gives it back; who points stays where they are. */
function useFocus(dock: RefObject<HTMLElement | null>) {
  useEffect(() => {
    const before = document.activeElement
    if (before instanceof HTMLElement && before.matches(':focus-visible')) dock.current?.focus()
    return () => {
      const lost = document.activeElement === document.body || document.activeElement === null
      if (lost && before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [dock])
}

function Head({ panel }: { panel: Panel }) {
  const app = useApp()
  const words = useWords()
  const now = useNow()
  const { call } = panel
  const title = call ? `${shownName(agentOf(call))} ↔ ${shownName(otherOf(call))}` : ''
  return (
    <div className="dock-head">
      <span className="dock-name">{words.term('panel')}</span>
      <span className="dock-call">
        {title}
        {call?.queue ? ` · ${call.queue}` : ''}
        {call && panel.phase !== 'ended' ? (
          <Digits> {clockText(now - Date.parse(call.started_at))}</Digits>
        ) : null}
      </span>
      {panel.phase === 'ended' ? (
        <button type="button" className="plain-button" onClick={() => app.panel.close()}>
          <IconX size={16} aria-hidden /> {words.t('panel.close')}
        </button>
      ) : (
        <button type="button" className="plain-button leave" onClick={() => void leave(app)}>
          <IconX size={16} aria-hidden />{' '}
          {words.t(panel.leaving ? 'panel.leaving' : 'panel.leave_keys')}
        </button>
      )}
    </div>
  )
}

function Attending({ panel }: { panel: Panel }) {
  const said = useSentence(panel)
  const mode: Mode = panel.supervision?.mode ?? 'listen'
  return (
    <>
      <div className="dock-top">
        <Sentence panel={panel} mode={mode} />
        <Lines />
      </div>
      <Trouble panel={panel} />
      {panel.hearOn.kind === 'phone' ? <PhoneTrouble /> : null}
      {panel.call ? <ModeBar panel={panel} call={panel.call} /> : null}
      {panel.call && panel.supervision ? (
        <>
          <Attendees call={panel.call} mine={panel.supervision} />
          {features.prompts ? <Prompts call={panel.call} mine={panel.supervision} /> : null}
          <Sound panel={panel} />
          <Ears panel={panel} />
          <Counters key={panel.supervision.id} call={panel.call} mine={panel.supervision} />
          {features.marks ? (
            <Suspense fallback={null}>
              <Marks key={`marks ${panel.supervision.id}`} mine={panel.supervision} />
            </Suspense>
          ) : null}
          {mode === 'takeover' ? (
            <Suspense fallback={null}>
              <Console call={panel.call} mine={panel.supervision} />
            </Suspense>
          ) : null}
        </>
      ) : (
        <p className="dock-wait">{said}</p>
      )}
    </>
  )
}

/** In the demo, where the sound is in this browser. */
function Ears({ panel }: { panel: Panel }) {
  const session = useStore(useApp().session)
  const demo = session.phase === 'in' && session.me?.server.demo === true
  if (!features.ears || !demo || panel.hearOn.kind === 'sip' || !panel.call) return null
  return (
    <Suspense fallback={null}>
      <HearAs call={panel.call} />
    </Suspense>
  )
}

/** Text, icon and border; spoken by screen readers in the moment it changes. */
function Sentence({ panel, mode }: { panel: Panel; mode: Mode }) {
  const app = useApp()
  const words = useWords()
  const said = useSentence(panel)
  const Icon = ICONS[mode]
  const left = panel.guard_until_ms
    ? words.t('panel.guard')
    : panel.cancelled
      ? words.t('panel.cancelled')
      : null
  const { id } = panel.supervision ?? { id: null }
  const muted = panel.silent || (panel.supervision?.muted ?? false)
  return (
    <div className={`sentence sentence-${mode}`}>
      <Icon size={20} aria-hidden />
      <span role="status" aria-live="assertive">
        {said}
        {panel.wanted && panel.phase === 'live'
          ? ` — ${words.t('panel.switching', { mode: words.term(panel.wanted) })}`
          : ''}
        {left ? ` — ${left}` : ''}
      </span>
      {id && mode !== 'listen' ? (
        <button
          type="button"
          className="plain-button"
          aria-pressed={muted}
          onClick={() => void app.panel.change({ muted: !muted })}
        >
          {words.t(muted ? 'panel.unmute' : 'panel.mute')}
        </button>
      ) : null}
    </div>
  )
}

function Trouble({ panel }: { panel: Panel }) {
  const app = useApp()
  const words = useWords()
  if (!panel.problem) return null
  if (panel.problem.code === 'not_left') return <NotLeft panel={panel} why={panel.problem} />
  const needsPhone = panel.problem.code === 'needs_phone'
  const why = sayRefusal(words, panel.problem)
  const text = panel.problem.code === 'other_call' ? words.t('attend.refused', { why }) : why
  return (
    <div className="trouble" role="alert">
      <span>{needsPhone ? words.t('panel.needs_phone') : text}</span>
      {needsPhone ? (
        <button
          type="button"
          className="plain-button"
          onClick={() => app.dialog.set({ kind: 'headset' })}
        >
          {words.t('headset.set_up')}
        </button>
      ) : null}
      <button type="button" className="plain-button" onClick={() => app.panel.dismiss()}>
        {words.t('panel.dismiss')}
      </button>
    </div>
  )
}

/** Leaving was refused: one is still there, and is told how to go all the same. */
function NotLeft({ panel, why }: { panel: Panel; why: Refused }) {
  const app = useApp()
  const words = useWords()
  const here = panel.hearOn.kind === 'phone'
  return (
    <div className="trouble" role="alert">
      <span>
        {words.t(here ? 'leave.refused' : 'leave.refused_desk', { why: sayRefusal(words, why) })}
      </span>
      <button type="button" className="plain-button" onClick={() => void app.panel.leave()}>
        {words.t('leave.again')}
      </button>
      {here ? (
        <button type="button" className="plain-button" onClick={() => void app.panel.hangUp()}>
          {words.t('leave.hang_up')}
        </button>
      ) : null}
    </div>
  )
}

/** What is wrong with the browser's own leg, and the way out of it. */
function PhoneTrouble() {
  const app = useApp()
  const words = useWords()
  const { phase, microphone, blocked } = useStore(app.phone)
  // What could not be had is in the phone's state, with why.
  const again = (here: boolean) =>
    void (here ? app.panel.takePhone() : app.phone.ready()).catch(() => {})
  if (phase === 'elsewhere' || phase === 'failed') {
    return (
      <div className="trouble" role="alert">
        <span>{words.t(phase === 'failed' ? 'phone.failed' : 'phone.elsewhere')}</span>
        <button type="button" className="plain-button" onClick={() => again(phase === 'elsewhere')}>
          {words.t(phase === 'failed' ? 'panel.again' : 'phone.use_here')}
        </button>
      </div>
    )
  }
  if (microphone === 'gone') return <MicrophoneGone />
  return blocked ? (
    <p className="trouble" role="alert">
      {words.t('phone.blocked')}
    </p>
  ) : null
}

/** It was unplugged, or taken away: the same again, or another. */
function MicrophoneGone() {
  const app = useApp()
  const words = useWords()
  const [problem, setProblem] = useState<Refused | null>(null)
  const again = () =>
    void app.phone.prepare().then(
      () => setProblem(null),
      (error: unknown) => setProblem(refusedBy(error)),
    )
  return (
    <div className="trouble" role="alert">
      <span>
        {words.t('phone.gone')}
        {problem ? ` ${words.t('phone.gone_still', { why: sayRefusal(words, problem) })}` : ''}
      </span>
      <button type="button" className="plain-button" onClick={again}>
        {words.t('phone.gone_again')}
      </button>
      <button
        type="button"
        className="plain-button"
        onClick={() => app.dialog.set({ kind: 'headset' })}
      >
        {words.t('phone.gone_other')}
      </button>
    </div>
  )
}

function Ended({ panel }: { panel: Panel }) {
  const app = useApp()
  const words = useWords()
  const { call, problem } = panel
  const why = problem
    ? sayRefusal(words, problem)
    : panel.end_reason
      ? sayReason(words, panel.end_reason)
      : null
  const text = problem
    ? words.t('panel.failed', { why: why ?? '' })
    : why
      ? words.t('panel.ended', { why })
      : words.t('panel.ended_plain')
  const mode = panel.supervision?.mode ?? panel.wanted ?? 'listen'
  const alive = call && app.board.get().calls.has(call.id)
  const elsewhere = problem?.code === 'phone_elsewhere'
  const again = async (callId: string) => {
    // What could not be taken, opening refuses again, and says why.
    if (elsewhere && (await app.panel.takePhone().catch(() => false))) return
    await app.panel.open(callId, panel.hearOn, { mode: mode === 'takeover' ? 'listen' : mode })
  }
  return (
    <div className="dock-ended">
      <p role="status">{text}</p>
      {call ? (
        <p>
          {words.t('panel.summary', {
            duration: clockText(call.timing.duration_ms),
            talk: clockText(call.timing.talk_ms),
          })}
        </p>
      ) : null}
      {features.outcome && call && panel.supervision && tookOver(panel.supervision) ? (
        <Suspense fallback={null}>
          <Outcome call={call} />
        </Suspense>
      ) : null}
      <div className="dock-ways">
        {call ? (
          <Link to="/calls/$callId" params={{ callId: call.id }}>
            {words.t(panel.supervision && !alive ? 'panel.review' : 'panel.see_call')}
          </Link>
        ) : null}
        {alive ? (
          <button type="button" className="plain-button" onClick={() => void again(call.id)}>
            {words.t(elsewhere ? 'phone.use_here' : 'panel.again')}
          </button>
        ) : null}
      </div>
    </div>
  )
}
