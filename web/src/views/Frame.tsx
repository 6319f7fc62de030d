// What stands around every page: the left rail, the top bar, the stale bar, the panel and the dialogs.
import { UnstyledButton } from '@mantine/core'
import {
  IconAlertTriangle,
  IconHistory,
  IconLayoutDashboard,
  IconPhoneCall,
  IconSettings,
  IconUsers,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { Suspense, lazy, useEffect, type ReactNode } from 'react'
import { features } from '../api/features'
import { staleFor } from '../state/board'
import { IncomingBar } from './Incoming'
import { sayRefusal } from './say'
import { TopBar } from './TopBar'
import { useApp, useNow, useSentence, useStale, useStore, useWords } from './use'
import { useGlobalKeys } from './useKeys'

// Fetched as soon as the page stands, so that it is there before anybody attends a call.
const panelDock = () => import('./panel/PanelDock').then((all) => ({ default: all.PanelDock }))
const PanelDock = lazy(panelDock)
const Dialogs = lazy(() => import('./Dialogs').then(({ Dialogs }) => ({ default: Dialogs })))

export function Frame({ children }: { children: ReactNode }) {
  const { preferences, dialog } = useApp()
  const open = useStore(dialog)
  const { tv, density } = useStore(preferences)
  const words = useWords()
  const old = useStale()
  useGlobalKeys()
  useTitle()
  return (
    <div className={`frame${tv ? ' tv' : ''}${old ? ' old' : ''} ${density}`}>
      <a className="skip" href="#page">
        {words.t('app.skip')}
      </a>
      <SkipToPanel />
      {tv ? null : <Rail />}
      <div className="body">
        {tv ? <LeaveTv /> : <TopBar />}
        <StaleBar />
        <StillIn />
        <IncomingBar />
        <main id="page" tabIndex={-1}>
          {children}
        </main>
      </div>
      <Suspense fallback={null}>
        <PanelDock />
      </Suspense>
      <Suspense fallback={null}>{open.kind === 'none' ? null : <Dialogs />}</Suspense>
    </div>
  )
}

/** It stands last on the page, behind every row. */
function SkipToPanel() {
  const { panel } = useApp()
  const words = useWords()
  return useStore(panel).phase === 'closed' ? null : (
    <a className="skip" href="#panel">
      {words.t('app.skip_panel', { panel: words.term('panel') })}
    </a>
  )
}

function Rail() {
  const { session } = useApp()
  const words = useWords()
  useStore(session)
  const board = session.may('see_wallboard')
  const all = [
    { to: '/', icon: IconLayoutDashboard, word: words.term('wallboard') },
    { to: '/live-calls', icon: IconPhoneCall, word: words.term('live_calls') },
    { to: '/call-status', icon: IconUsers, word: words.term('call_status') },
    ...(features.history && session.may('see_history')
      ? [{ to: '/history', icon: IconHistory, word: words.t('nav.history') } as const]
      : []),
    { to: '/admin', icon: IconSettings, word: words.t('nav.admin') },
  ] as const
  const own = [{ to: '/', icon: IconPhoneCall, word: words.t('nav.console') }] as const
  const items = board ? all : own
  return (
    <nav className="rail" aria-label={words.t('nav.label')}>
      <span className="brand">{words.t('app.name')}</span>
      {items.map(({ to, icon: Icon, word }) => (
        <Link key={to} to={to} className="rail-link" activeOptions={{ exact: to === '/' }}>
          <Icon size={20} stroke={1.8} aria-hidden />
          <span>{word}</span>
        </Link>
      ))}
    </nav>
  )
}

function LeaveTv() {
  const { preferences } = useApp()
  const words = useWords()
  return (
    <UnstyledButton className="tv-leave" onClick={() => preferences.change({ tv: false })}>
      {words.t('top.tv_off')}
    </UnstyledButton>
  )
}

/** Old data says so, and what failed says how to go on. */
function StaleBar() {
  const { board, live } = useApp()
  const words = useWords()
  const now = useStore(board)
  useNow()
  const stale = staleFor(now, Date.now())
  if (stale === null && now.error === null) return null
  const refused = now.error?.status === 403
  if (stale === null && now.loaded && !refused) return null
  const text =
    stale !== null
      ? words.t('live.stale', { age: Math.floor(stale / 1000) })
      : refused
        ? words.t('live.not_allowed')
        : words.t('live.failed', { detail: now.error ? sayRefusal(words, now.error) : '' })
  return (
    <div className="stale" role="status">
      <IconAlertTriangle size={18} aria-hidden />
      <span>{text}</span>
      <button type="button" className="plain-button" onClick={() => live.nudge()}>
        {words.t('live.retry')}
      </button>
    </div>
  )
}

/** Signed out is what the server says, and nothing else. */
function StillIn() {
  const { session } = useApp()
  const words = useWords()
  const stuck = useStore(session.stuck)
  if (!stuck) return null
  return (
    <div className="stale" role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <span>{words.t('signin.still_in', { why: sayRefusal(words, stuck.problem) })}</span>
      <button
        type="button"
        className="plain-button"
        onClick={() => void session.leave(stuck.everywhere)}
      >
        {words.t('live.retry')}
      </button>
      <button type="button" className="plain-button" onClick={() => session.stuck.set(null)}>
        {words.t('panel.dismiss')}
      </button>
    </div>
  )
}

/** The tab says at every moment who hears one. */
function useTitle() {
  const { panel } = useApp()
  const words = useWords()
  const said = useSentence(useStore(panel))
  useEffect(() => {
    document.title = said ?? words.t('app.name')
    // On the way out nobody is heard, and nobody's mode is told.
    return () => void (document.title = words.t('app.name'))
  }, [said, words])
}
