// From a key press to what it means; one table for the handler and for the list that `?` shows. Knows no
// page and does nothing itself.

export type Meaning =
  | { do: 'find' | 'help' | 'escape' | 'mute' | 'takeover' | 'next' | 'previous' }
  | { do: 'go'; page: Page }
  | { do: 'mode'; mode: 'listen' | 'whisper' | 'barge' }
  | { do: 'volume'; by: number }
export type Page = 'wallboard' | 'live_calls' | 'call_status' | 'history' | 'admin'

export interface Press {
  key: string
  ctrlKey?: boolean
  metaKey?: boolean
  altKey?: boolean
  shiftKey?: boolean
  /** The focus is where one types. */
  typing?: boolean
}

const PAGES: Record<string, Page> = {
  w: 'wallboard',
  c: 'live_calls',
  s: 'call_status',
  h: 'history',
  a: 'admin',
}
const GO_WITHIN_MS = 1_500

export class Keys {
  #go_ms = Number.NEGATIVE_INFINITY

  read(press: Press, now_ms: number): Meaning | null {
    if (press.ctrlKey || press.metaKey || press.altKey) return null
    if (press.key === 'Escape') return press.typing ? null : { do: 'escape' }
    if (press.typing) return null
    const after_g = now_ms - this.#go_ms <= GO_WITHIN_MS
    this.#go_ms = Number.NEGATIVE_INFINITY
    if (after_g) {
      const page = PAGES[press.key]
      if (page) return { do: 'go', page }
    }
    if (press.key === 'T' && press.shiftKey) return { do: 'takeover' }
    switch (press.key) {
      case 'g':
        this.#go_ms = now_ms
        return null
      case '/':
        return { do: 'find' }
      case '?':
        return { do: 'help' }
      case 'j':
      case 'ArrowDown':
        return { do: 'next' }
      case 'k':
      case 'ArrowUp':
        return { do: 'previous' }
      case 'l':
        return { do: 'mode', mode: 'listen' }
      case 'w':
        return { do: 'mode', mode: 'whisper' }
      case 'b':
        return { do: 'mode', mode: 'barge' }
      case 'm':
        return { do: 'mute' }
      case '[':
        return { do: 'volume', by: -0.1 }
      case ']':
        return { do: 'volume', by: 0.1 }
      default:
        return null
    }
  }
}
