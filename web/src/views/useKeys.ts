// The keys that work on every page, on a row of the list of calls, and for as long as they are held: what a press
// means is `state/keys.ts`, what it does is here, and each press is read once. Off where one types.
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useRef } from 'react'
import { features } from '../api/features'
import type { App } from '../state/app'
import { attend } from '../state/attend'
import type { AgentAct, HeldAct, Meaning, Page, Press } from '../state/keys'
import { useApp } from './use'

const PATHS: Partial<Record<Page, '/' | '/live-calls' | '/call-status' | '/history' | '/admin'>> = {
  ...(features.history ? { history: '/history' as const } : {}),
  wallboard: '/',
  live_calls: '/live-calls',
  call_status: '/call-status',
  admin: '/admin',
}

/** Where a letter is text. */
const TYPED = [
  'input:not([type=checkbox], [type=radio], [type=range])',
  'textarea',
  'select',
  '[contenteditable=true]',
].join(', ')
/** What Space presses. */
const PRESSED = 'button, a, input, summary, [role=radio], [role=switch], [role=slider]'

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.matches(TYPED)

export const pressOf = (event: KeyboardEvent): Press => ({
  key: event.key,
  code: event.code,
  ctrlKey: event.ctrlKey,
  metaKey: event.metaKey,
  altKey: event.altKey,
  shiftKey: event.shiftKey,
  typing: isTyping(event.target),
})

/** What is open over the page has a key first, also the one that closes it. */
const OVER = '[role=dialog], [role=menu], [role=listbox]'
const ROW = '[role=row][data-call]'

const isOver = (target: EventTarget | null) =>
  target instanceof Element && target.closest(OVER) !== null

/** Whether this press has closed a dialog: those hear of it before we do. */
function useClosedBy(app: App): (event: KeyboardEvent) => boolean {
  const closed_ms = useRef(Number.NEGATIVE_INFINITY)
  useEffect(
    () =>
      app.dialog.watch(() => {
        if (app.dialog.get().kind === 'none') closed_ms.current = performance.now()
      }),
    [app],
  )
  return useCallback((event) => closed_ms.current >= event.timeStamp, [])
}

export function useGlobalKeys() {
  const app = useApp()
  const navigate = useNavigate()
  const closedBy = useClosedBy(app)
  useEffect(() => {
    const go = (page: Page): boolean => {
      const to = PATHS[page]
      if (to) void navigate({ to })
      return to !== undefined
    }
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || app.dialog.get().kind !== 'none') return
      if (isOver(event.target) || closedBy(event)) return
      // A television has no controls; but who is on a call can always leave it.
      if (app.preferences.get().tv && app.panel.get().phase === 'closed') return
      // One key may mean something on a row and be one that is held: while it can be held, it is that.
      const held = app.keys.held(pressOf(event))
      if (held && holds(app, held)) return
      const meaning = app.keys.read(pressOf(event), Date.now())
      if (!meaning || (event.repeat && !REPEATED.includes(meaning.do))) return
      if (act(app, meaning, event, go)) event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [app, navigate, closedBy])
  useHeldKeys()
}

/** A key that is kept down says these again; of all else once is meant. */
const REPEATED: readonly Meaning['do'][] = ['next', 'previous', 'volume']

/** Whether a held key would do something now. */
const holds = (app: App, act: HeldAct): boolean =>
  act === 'talk' ? app.microphone.holds : app.aside.may

const rowAt = (target: EventTarget | null) =>
  target instanceof Element ? target.closest<HTMLElement>(ROW) : null

/** To the next row or the one before; from elsewhere a letter leads into the list, and arrows scroll. */
function moveRow(event: KeyboardEvent, by: 1 | -1): boolean {
  const row = rowAt(event.target)
  const rows = [...document.querySelectorAll<HTMLElement>(ROW)]
  if (!row && event.key.startsWith('Arrow')) return false
  const to = row ? rows[rows.indexOf(row) + by] : rows.find((one) => one.tabIndex === 0)
  to?.focus()
  return row !== null || to !== undefined
}

function act(
  app: App,
  meaning: Meaning,
  event: KeyboardEvent,
  go: (page: Page) => boolean,
): boolean {
  switch (meaning.do) {
    case 'go':
      return go(meaning.page)
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
      const { supervision, silent } = app.panel.get()
      // In listen there is nothing to mute, and nothing would show it.
      if (!supervision || app.panel.mode === null || app.panel.mode === 'listen') return false
      void app.panel.change({ muted: !(supervision.muted || silent) })
      return true
    }
    case 'bookmark': {
      const { phase } = app.panel.get()
      if (phase === 'live') void app.marks.add('bookmark')
      return phase === 'live'
    }
    case 'panel':
      return focusPanel()
    case 'takeover': {
      const { phase, callId } = app.panel.get()
      if (phase === 'live' && app.panel.mode !== 'takeover') void attend(app, callId, 'takeover')
      return phase === 'live'
    }
    case 'volume': {
      const volume = Math.min(1, Math.max(0, app.preferences.get().volume + meaning.by))
      app.preferences.change({ volume })
      app.player.volume(volume)
      app.phone.volume(volume)
      return true
    }
    case 'next':
      return moveRow(event, 1)
    case 'previous':
      return moveRow(event, -1)
    case 'mode': {
      const call = callAt(app, event.target)
      if (call) void attend(app, call, meaning.mode)
      return call !== undefined
    }
  }
}

const PANEL = '#panel'

/** To the panel itself, where Space is not a button's; false where there is none. */
export function focusPanel(): boolean {
  const panel = document.querySelector<HTMLElement>(PANEL)
  panel?.focus()
  return panel !== null
}

/** The call that a key of a mode means: the row's that has the focus, or the one that is attended. */
function callAt(app: App, target: EventTarget | null): string | undefined {
  const inPanel = target instanceof Element && target.closest(PANEL) !== null
  const { phase, callId } = app.panel.get()
  return inPanel && phase === 'live' ? callId : rowAt(target)?.dataset['call']
}

/** Push-to-talk and the aside: from the key's way down to its way up, or until the page loses the keyboard. */
function useHeldKeys() {
  const app = useApp()
  useEffect(() => {
    let down: { act: 'talk' | 'aside'; code: string } | null = null
    /** The focus was moved by keys: then Space belongs to what has it. */
    let byKeys = false
    const release = () => {
      if (down?.act === 'talk') app.microphone.hold(false)
      if (down?.act === 'aside') void app.aside.release()
      down = null
    }
    const press = (event: KeyboardEvent) => {
      if (['Tab', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].includes(event.key))
        byKeys = true
      // With it down macOS does not say that another key has gone up.
      if (event.key === 'Meta') release()
      if (down) return event.code === down.code ? event.preventDefault() : undefined
      if (event.defaultPrevented || event.repeat || app.dialog.get().kind !== 'none') return
      if (isOver(event.target)) return
      const { target } = event
      const pressed = target instanceof HTMLElement && target.matches(PRESSED)
      if (event.key === ' ' && byKeys && pressed) return
      const held = app.keys.held(pressOf(event))
      if (!held || !(held === 'talk' ? app.microphone.hold(true) : app.aside.press())) return
      down = { act: held, code: event.code }
      event.preventDefault()
    }
    const up = (event: KeyboardEvent) => {
      if (!down || event.code !== down.code) return
      event.preventDefault()
      release()
    }
    const pointer = () => (byKeys = false)
    window.addEventListener('keydown', press)
    window.addEventListener('keyup', up)
    window.addEventListener('blur', release)
    window.addEventListener('pointerdown', pointer)
    return () => {
      release()
      window.removeEventListener('keydown', press)
      window.removeEventListener('keyup', up)
      window.removeEventListener('blur', release)
      window.removeEventListener('pointerdown', pointer)
    }
  }, [app])
}

/** What an agent's keys do, for as long as the view that calls this is there. */
export function useAgentKeys(acts: Partial<Record<AgentAct, () => void>>) {
  const app = useApp()
  const now = useRef(acts)
  useEffect(() => {
    now.current = acts
  })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.repeat || app.dialog.get().kind !== 'none') return
      const act = app.keys.agent(pressOf(event))
      const doing = act && now.current[act]
      if (!doing) return
      event.preventDefault()
      doing()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [app])
}
