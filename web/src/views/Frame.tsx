// What stands around every page: the left rail, the top bar, the stale bar, the panel and the dialogs.
import { UnstyledButton } from '@mantine/core'
import {
  IconAlertTriangle,
  IconHeadset,
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
import { titleOf } from '../state/page'
import { Announced } from './Announced'
import { IncomingBar } from './Incoming'
import { sayRefusal } from './say'
import { TopBar } from './TopBar'
import { Ticking } from './Ticking'
import { useApp, useSelect, useSentence, useStale, useStore, useWords } from './use'
import { useGlobalKeys } from './useKeys'

// Fetched as soon as the page stands, so that it is there before anybody attends a call.
const panelDock = () => import('./panel/PanelDock').then((all) => ({ default: all.PanelDock }))
const PanelDock = lazy(panelDock)
const Dialogs = lazy(() => import('./Dialogs').then(({ Dialogs }) => ({ default: Dialogs })))

export function Frame({ children }: { children: ReactNode }) {
  const { preferences, dialog, session } = useApp()
  useStore(session)
  const board = session.may('see_wallboard')
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
        {board ? <Announced /> : null}
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
  const { session, devices } = useApp()
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
    // Whoever has a telephone may be called.
    ...(devices().length > 0
      ? [{ to: '/console', icon: IconHeadset, word: words.t('nav.console') } as const]
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
  const { board, barred, live } = useApp()
  const words = useWords()
  const old = useStale()
  const error = useSelect(board, (now) => now.error)
  // Said once it is true: while nothing answers, that is what is wrong.
  const asking = useStore(barred) && error === null
  const loaded = useSelect(board, (now) => now.loaded)
  const refused = error?.status === 403
  const failed = error !== null && (!loaded || refused)
  if (!old && !failed && !asking) return null
  return (
    <div className="stale">
      <IconAlertTriangle size={18} aria-hidden />
      <span role="status" className={old ? 'visually-hidden' : undefined}>
        {old
          ? words.t('live.stale_said')
          : refused
            ? words.t('live.not_allowed')
            : failed
              ? words.t('live.failed', { detail: sayRefusal(words, error) })
              : words.t('live.asking')}
      </span>
      {old ? (
        // Said once; the age is for the eyes.
        <Ticking
          text={() => {
            const age_ms = staleFor(board.get(), Date.now()) ?? 0
            return words.t('live.stale', { age: Math.floor(age_ms / 1_000) })
          }}
        />
      ) : null}
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

/** The tab says at every moment who hears one, and which page it is. */
function useTitle() {
  const { panel, page } = useApp()
  const words = useWords()
  const said = useSentence(useStore(panel))
  const title = titleOf(useStore(page), said, words.t('app.name'))
  useEffect(() => {
    document.title = title
    // On the way out nobody is heard, and nobody's mode is told.
    return () => void (document.title = words.t('app.name'))
  }, [title, words])
}
