import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LiveBoard } from '../src/state/board'
import { Events } from '../src/state/live'
import { ServerClock } from '../src/state/time'

/** The browser's side of a socket; what the server does on it, the test does. */
class Socket extends EventTarget {
  static readonly OPEN = 1
  static all: Socket[] = []
  readyState = 0
  closed = false
  readonly url: string
  constructor(url: string) {
    super()
    this.url = url
    Socket.all.push(this)
  }
  send(): void {}
  /** A far end that is gone never answers the closing. */
  close(): void {
    this.closed = true
  }
  opens(): void {
    this.readyState = Socket.OPEN
    this.dispatchEvent(new Event('open'))
  }
  says(frame: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }))
  }
  ends(code: number): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }
}

const told = () => ({
  me: vi.fn(),
  phone: vi.fn(),
  signedOut: vi.fn(),
  again: vi.fn(),
  prompt: vi.fn(),
  reply: vi.fn(),
})
const running: Events[] = []
const last = () => Socket.all.at(-1) as Socket

function begun() {
  const what = told()
  const events = new Events(new LiveBoard(), new ServerClock(), what, () => 'tab 1')
  running.push(events)
  events.start()
  last().opens()
  last().says({ type: 'ping' })
  return { events, what, lost: () => events.connection.get().lost_ms }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  vi.stubGlobal('WebSocket', Socket)
  vi.stubGlobal('location', new URL('http://mia.localhost:8080/'))
  Socket.all = []
})
afterEach(() => {
  for (const one of running.splice(0)) one.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the socket', () => {
  test('that cannot be opened three times is barred, until one says a word', () => {
    const { events } = begun()
    expect(events.barred.get()).toBe(false)
    for (let tries = 0; tries < 3; tries += 1) {
      expect(events.barred.get()).toBe(false)
      last().ends(1_006)
      vi.advanceTimersByTime(12_000)
    }
    expect(events.barred.get()).toBe(true)
    last().opens()
    last().says({ type: 'ping' })
    expect(events.barred.get()).toBe(false)
  })

  test('says which page it is, so that another one’s phone can be told from its own', () => {
    begun()
    expect(new URL(last().url).searchParams.get('tab')).toBe('tab 1')
  })

  test('that is closed is lost at once, and found again by the first word of the next', () => {
    const { lost, what } = begun()
    last().ends(1_006)
    expect(lost()).toBe(Date.now())
    vi.advanceTimersByTime(1_000)
    expect(Socket.all.length).toBe(2)
    last().opens()
    expect(lost()).not.toBeNull()
    expect(what.again).not.toHaveBeenCalled()
    last().says({ type: 'ping' })
    expect(lost()).toBeNull()
    expect(what.again).toHaveBeenCalledTimes(1)
  })

  test('is tried at once when one asks for it, when the network is back, and when the page is seen again', () => {
    const { events, lost } = begun()
    events.nudge()
    expect(Socket.all.length).toBe(1)
    for (const ask of [
      () => events.nudge(),
      () => dispatchEvent(new Event('online')),
      () => document.dispatchEvent(new Event('visibilitychange')),
    ]) {
      last().ends(1_006)
      vi.advanceTimersByTime(300)
      const before = Socket.all.length
      vi.setSystemTime(Date.now() + 5_000)
      ask()
      ask()
      expect([Socket.all.length, lost() !== null]).toEqual([before + 1, true])
      last().opens()
      last().says({ type: 'ping' })
    }
  })

  test('of a machine that slept is known to be lost in the moment it wakes', () => {
    const { lost } = begun()
    vi.setSystemTime(Date.now() + 600_000) // no timer ran meanwhile
    document.dispatchEvent(new Event('visibilitychange'))
    expect([lost() !== null, Socket.all.length]).toEqual([true, 2])
  })

  test('whoever signs in next begins with all there is, not after what somebody else had seen', () => {
    const { events } = begun()
    const snapshot = {
      type: 'snapshot',
      cursor: 'b.all.7',
      at: '',
      calls: [],
      agents: [],
      help: [],
    }
    last().says(snapshot)
    last().ends(1_006)
    vi.advanceTimersByTime(1_000)
    expect(new URL(last().url).searchParams.get('after')).toBe('b.all.7')
    events.stop()
    events.start()
    expect(new URL(last().url).searchParams.get('after')).toBeNull()
  })

  test('that says nothing is lost after a while, though nobody closed it; then another is tried', () => {
    const { lost } = begun()
    const [silent] = Socket.all
    const heard = Date.now()
    vi.advanceTimersByTime(7_900)
    expect(lost()).toBeNull()
    vi.advanceTimersByTime(200)
    expect(lost()).toBe(heard)
    vi.advanceTimersByTime(5_000)
    expect([silent?.closed, Socket.all.length]).toEqual([true, 2])
    // What the old one still has to say is nobody's news, nor that it ends at last.
    silent?.says({ type: 'ping' })
    silent?.ends(1_006)
    expect([lost(), Socket.all.length]).toEqual([heard, 2])
    last().opens()
    last().says({ type: 'ping' })
    expect(lost()).toBeNull()
  })

  test('pings keep it', () => {
    const { lost } = begun()
    for (let n = 0; n < 10; n++) {
      vi.advanceTimersByTime(5_000)
      last().says({ type: 'ping' })
    }
    expect([lost(), Socket.all.length]).toEqual([null, 1])
  })

  test('one that never opens is given up too', () => {
    const { lost } = begun()
    last().ends(1_006)
    vi.advanceTimersByTime(1_000)
    vi.advanceTimersByTime(14_000)
    expect(Socket.all.length).toBeGreaterThanOrEqual(3)
    expect(lost()).not.toBeNull()
  })

  test('stopped, it is not lost, and no timer is left', () => {
    const { events, lost } = begun()
    events.stop()
    vi.advanceTimersByTime(60_000)
    expect([lost(), Socket.all.length, vi.getTimerCount()]).toEqual([null, 1, 0])
  })
})
