// What stands around every page: the left rail, the top bar, the stale bar, the panel, the dialogs, and the
// keys that work everywhere.
import { UnstyledButton } from '@mantine/core'
import {
  IconAlertTriangle,
  IconHistory,
  IconLayoutDashboard,
  IconPhoneCall,
  IconSettings,
  IconUsers,
} from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'
import { features } from '../api/features'
import { staleFor } from '../state/board'
import type { Meaning, Page } from '../state/keys'
import { Dialogs } from './Dialogs'
import { IncomingBar } from './Incoming'
import { PanelDock } from './panel/PanelDock'
import { sayRefusal, sentence } from './say'
import { TopBar } from './TopBar'
import { useApp, useNow, useStore, useWords } from './use'

const PATHS: Partial<Record<Page, '/' | '/live-calls' | '/call-status' | '/history' | '/admin'>> = {
  ...(features.history ? { history: '/history' as const } : {}),
  wallboard: '/',
  live_calls: '/live-calls',
  call_status: '/call-status',
  admin: '/admin',
}

export function Frame({ children }: { children: ReactNode }) {
  const { preferences } = useApp()
  const { tv, density } = useStore(preferences)
  const words = useWords()
  useGlobalKeys()
  useTitle()
  return (
    <div className={`frame${tv ? ' tv' : ''} ${density}`}>
      <a className="skip" href="#page">
        {words.t('app.skip')}
      </a>
      {tv ? null : <Rail />}
      <div className="body">
        {tv ? <LeaveTv /> : <TopBar />}
        <StaleBar />
        <IncomingBar />
        <main id="page" tabIndex={-1}>
          {children}
        </main>
      </div>
      <PanelDock />
      <Dialogs />
    </div>
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

/** The tab says at every moment who hears one. */
function useTitle() {
  const { panel } = useApp()
  const words = useWords()
  const now = useStore(panel)
  const said = sentence(words, now)
  useEffect(() => {
    document.title = said ?? words.t('app.name')
  }, [said, words])
}

function useGlobalKeys() {
  const app = useApp()
  const navigate = useNavigate()
  useEffect(() => {
    const act = (meaning: Meaning): boolean => {
      switch (meaning.do) {
        case 'go': {
          const to = PATHS[meaning.page]
          if (to) void navigate({ to })
          return to !== undefined
        }
        case 'find':
          document.getElementById('find')?.focus()
          return true
        case 'help':
          app.dialog.set({ kind: 'keys' })
          return true
        case 'escape':
          if (app.panel.escape(Date.now()) === 'ask') app.dialog.set({ kind: 'hand_back' })
          return false
        case 'mute': {
          const { supervision } = app.panel.get()
          if (supervision) void app.panel.change({ muted: !supervision.muted })
          return supervision !== null
        }
        case 'takeover': {
          const { phase, callId } = app.panel.get()
          if (phase === 'live') app.dialog.set({ kind: 'takeover', callId })
          return phase === 'live'
        }
        case 'volume': {
          const volume = Math.min(1, Math.max(0, app.preferences.get().volume + meaning.by))
          app.preferences.change({ volume })
          app.player.volume(volume)
          app.phone.volume(volume)
          return true
        }
        // Rows and modes belong to the list that has the focus.
        case 'next':
        case 'previous':
        case 'mode':
          return false
      }
    }
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || app.dialog.get().kind !== 'none') return
      if (!app.preferences.get().keys && event.key !== 'Escape') return
      const typing =
        event.target instanceof HTMLElement && event.target.matches('input, textarea, select')
      if (
        event.target instanceof HTMLElement &&
        event.target.closest('[role=menu], [role=listbox]')
      )
        return
      const meaning = app.keys.read({ ...pressOf(event), typing }, Date.now())
      if (meaning && act(meaning)) event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [app, navigate])
}

const pressOf = ({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent) => ({
  key,
  ctrlKey,
  metaKey,
  altKey,
  shiftKey,
})
