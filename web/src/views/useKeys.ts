// The keys that work on every page, and who else listens to keys: what a press means is `state/keys.ts`, what
// it does is here. Off where one types.
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { features } from '../api/features'
import type { App } from '../state/app'
import type { AgentAct, Meaning, Page, Press } from '../state/keys'
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

export function useGlobalKeys() {
  const app = useApp()
  const navigate = useNavigate()
  useEffect(() => {
    const go = (page: Page): boolean => {
      const to = PATHS[page]
      if (to) void navigate({ to })
      return to !== undefined
    }
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || app.dialog.get().kind !== 'none') return
      const { target } = event
      if (target instanceof HTMLElement && target.closest('[role=menu], [role=listbox]')) return
      const meaning = app.keys.read(pressOf(event), Date.now())
      if (meaning && act(app, meaning, go)) event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [app, navigate])
  useHeldKeys()
}

function act(app: App, meaning: Meaning, go: (page: Page) => boolean): boolean {
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

/** Push-to-talk and the aside: from the key's way down to its way up, or until the page loses the keyboard. */
function useHeldKeys() {
  const app = useApp()
  useEffect(() => {
    let down: { act: 'talk' | 'aside'; code: string } | null = null
    /** The focus was moved by keys: then Space belongs to what has it. */
    let byKeys = false
    const release = () => {
      if (down?.act === 'talk') app.pushToTalk.hold(false)
      if (down?.act === 'aside') void app.aside.release()
      down = null
    }
    const press = (event: KeyboardEvent) => {
      if (['Tab', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].includes(event.key))
        byKeys = true
      if (down) return event.code === down.code ? event.preventDefault() : undefined
      if (event.defaultPrevented || app.dialog.get().kind !== 'none') return
      const { target } = event
      const pressed = target instanceof HTMLElement && target.matches(PRESSED)
      if (event.key === ' ' && byKeys && pressed) return
      const held = app.keys.held(pressOf(event))
      if (!held || !(held === 'talk' ? app.pushToTalk.hold(true) : app.aside.press())) return
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
