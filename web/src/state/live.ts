// Keeps the board fresh: by the events of the WebSocket where the server has them, else by asking once a
// second. Resumes by itself, backs off, and never shows nothing as something.
import { refusedBy, type Api } from '../api/client'
import type { Agent, Call, Me, PartyMeter, Phone, Help } from '../api/types'
import type { Changes, LiveBoard } from './board'
import type { Prompt, Reply } from './notes'
import { Store } from './store'
import type { ServerClock } from './time'

const ASK_EVERY_MS = 1_000
const ASK_TIMEOUT_MS = 5_000
const BACK_OFF_MS = [500, 1_000, 2_000, 4_000, 8_000]

export interface Live {
  start(): void
  stop(): void
  /** Ask now: something was done whose effect is worth seeing at once. */
  nudge(): void
  /** Levels are wanted of these calls. */
  watch(calls: string[]): void
}

const backOff = (failures: number) =>
  BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] ?? 8_000

export class Asking implements Live {
  #timer: ReturnType<typeof setTimeout> | null = null
  #running = false
  #asking = false
  #failures = 0
  readonly #api: Pick<Api, 'calls' | 'agents'>
  readonly #board: LiveBoard
  readonly #clock: ServerClock

  constructor(api: Pick<Api, 'calls' | 'agents'>, board: LiveBoard, clock: ServerClock) {
    this.#api = api
    this.#board = board
    this.#clock = clock
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    void this.#ask()
  }

  stop(): void {
    this.#running = false
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  nudge(): void {
    if (this.#asking || !this.#running) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    void this.#ask()
  }

  watch(): void {}

  async #ask(): Promise<void> {
    this.#asking = true
    const asked_ms = Date.now()
    try {
      const signal = AbortSignal.timeout(ASK_TIMEOUT_MS)
      const [calls, agents] = await Promise.all([this.#api.calls(signal), this.#api.agents(signal)])
      if (!this.#running) return
      if (calls.date) this.#clock.learn(Date.parse(calls.date) + 500, asked_ms, Date.now())
      this.#board.snapshot(calls.items, agents, [], this.#clock.now())
      this.#failures = 0
    } catch (error) {
      if (!this.#running) return
      this.#failures += 1
      this.#board.failed(refusedBy(error))
    } finally {
      this.#asking = false
    }
    if (!this.#running) return
    const wait = this.#failures > 0 ? backOff(this.#failures) : ASK_EVERY_MS
    this.#timer = setTimeout(() => void this.#ask(), wait)
  }
}

type Frame =
  | {
      type: 'snapshot'
      cursor: string
      at: string
      calls: Call[]
      agents: Agent[]
      help?: Help[]
      phone?: Phone | null
    }
  | ({ type: 'changes'; cursor: string; at: string } & Changes)
  | { type: 'meters'; at: string; call_id: string; parties: PartyMeter[] }
  | { type: 'me'; me: Me }
  | { type: 'phone'; phone: Phone | null }
  | { type: 'ping' }
  | { type: 'signed_out'; reason: string }
  | ({ type: 'prompt' } & Prompt)
  | ({ type: 'reply' } & Reply)

/** What the socket tells besides the board. */
export interface Told {
  me(me: Me): void
  phone(phone: Phone | null): void
  signedOut(): void
  /** The connection is there again after a break, in which not all was told. */
  again(): void
  prompt(prompt: Prompt): void
  reply(reply: Reply): void
}

const SIGNED_OUT = 4401
/** Rights have changed: another view of the board begins. */
const COME_BACK = 4001
/** As the server allows. */
const WATCHED_AT_MOST = 16
/** The server says something every 2.5 s, if only that it is there. */
const QUIET_MS = 8_000
/** A connection that has said nothing for so long is none, though nobody has closed it: another is opened. */
const DEAD_MS = 12_000
/** Pressed again and again it is one try. */
const AT_ONCE_AGAIN_MS = 1_000

/** The connection by which this page is told of everything, and by which the server knows that it is there. */
export interface Connection {
  /** Since when it is not there; null while it is. By our own clock. */
  lost_ms: number | null
}

const THERE: Connection = { lost_ms: null }
/** So many tries without a word, and another way is taken meanwhile. */
const BARRED_AFTER = 3

export class Events implements Live {
  #socket: WebSocket | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #running = false
  #failures = 0
  #cursor: string | null = null
  #watched: string[] = []
  #silence: ReturnType<typeof setTimeout> | null = null
  #heard_ms = 0
  #opened_ms = 0
  readonly connection = new Store<Connection>(THERE)
  /** Again and again it could not even be opened: something on the way may let no such connection through. */
  readonly barred = new Store(false)
  readonly #board: LiveBoard
  readonly #clock: ServerClock
  readonly #told: Told
  readonly #tab: () => string

  /** `tab`: by which the server knows whether this page has the phone. */
  constructor(board: LiveBoard, clock: ServerClock, told: Told, tab: () => string) {
    this.#board = board
    this.#clock = clock
    this.#told = told
    this.#tab = tab
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    addEventListener('online', this.#wake)
    document.addEventListener('visibilitychange', this.#wake)
    this.#open()
  }

  stop(): void {
    this.#running = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#silence !== null) clearTimeout(this.#silence)
    removeEventListener('online', this.#wake)
    document.removeEventListener('visibilitychange', this.#wake)
    this.#socket?.close(1000)
    this.#socket = null
    // Who comes next has seen nothing of it.
    this.#cursor = null
    this.#failures = 0
    this.connection.set(THERE)
    this.barred.set(false)
  }

  /** Nothing to ask for while it is told; while it is not, one need not wait for the next try. */
  nudge(): void {
    const lately = Date.now() - this.#opened_ms < AT_ONCE_AGAIN_MS
    if (this.#running && !lately && this.connection.get().lost_ms !== null) this.#anew()
  }

  /** A machine that slept, or has another network, finds out only by asking. */
  #wake = (): void => {
    if (document.visibilityState === 'hidden') return
    if (Date.now() - this.#heard_ms > QUIET_MS) this.#lost(this.#heard_ms)
    this.nudge()
  }

  #anew(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const before = this.#socket
    this.#socket = null
    before?.close()
    this.#open()
  }

  watch(calls: string[]): void {
    this.#watched = calls.slice(0, WATCHED_AT_MOST)
    this.#board.watched(this.#watched)
    this.#say({ type: 'watch', calls: this.#watched })
  }

  #open(): void {
    const asked = new URLSearchParams({ tab: this.#tab() })
    if (this.#cursor) asked.set('after', this.#cursor)
    const url = `${location.origin.replace(/^http/, 'ws')}/api/v1/events?${asked.toString()}`
    const socket = new WebSocket(url)
    this.#socket = socket
    this.#opened_ms = Date.now()
    this.#listen(socket, this.#opened_ms)
    socket.addEventListener('open', () => {
      if (this.#watched.length > 0) this.#say({ type: 'watch', calls: this.#watched })
    })
    // One that was given up says nothing more.
    socket.addEventListener('message', (message) => {
      if (socket === this.#socket) this.#hear(socket, String(message.data))
    })
    socket.addEventListener('close', (event) => {
      if (socket === this.#socket) this.#closed(event.code)
    })
  }

  /** Nothing for a while is a connection that is lost; nothing for longer, and another is tried. */
  #listen(socket: WebSocket, heard_ms: number): void {
    if (this.#silence !== null) clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      this.#lost(heard_ms)
      this.#silence = setTimeout(() => {
        this.#socket = null
        socket.close()
        this.#closed(0)
      }, DEAD_MS - QUIET_MS)
    }, QUIET_MS)
  }

  #lost(since_ms: number): void {
    if (this.connection.get().lost_ms === null) this.connection.set({ lost_ms: since_ms })
  }

  #closed(code: number): void {
    if (!this.#running) return
    this.#socket = null
    if (this.#silence !== null) clearTimeout(this.#silence)
    if (code === SIGNED_OUT) return this.#told.signedOut()
    if (code === COME_BACK) {
      this.#cursor = null
      return this.#open()
    }
    this.#lost(Date.now())
    this.#failures += 1
    if (this.#failures >= BARRED_AFTER) {
      this.#cursor = null // What is asked for meanwhile has another history.
      this.barred.set(true)
    }
    const wait = backOff(this.#failures - 1) * (0.75 + Math.random() / 2)
    this.#timer = setTimeout(() => this.#open(), wait)
  }

  #say(what: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(what))
  }

  #hear(socket: WebSocket, text: string): void {
    const frame = JSON.parse(text) as Frame
    this.#failures = 0
    this.barred.set(false)
    this.#heard_ms = Date.now()
    this.#listen(socket, this.#heard_ms)
    if (this.connection.get().lost_ms !== null) {
      this.connection.set(THERE)
      this.#told.again()
    }
    if ('at' in frame && typeof frame.at === 'string') {
      const now = Date.now()
      this.#clock.learn(Date.parse(frame.at), now, now)
    }
    switch (frame.type) {
      case 'snapshot':
        this.#cursor = frame.cursor
        this.#board.snapshot(frame.calls, frame.agents, frame.help ?? [], Date.parse(frame.at))
        return this.#told.phone(frame.phone ?? null)
      case 'changes':
        this.#cursor = frame.cursor
        return this.#board.changes(frame, Date.parse(frame.at))
      case 'meters':
        return this.#board.meter(frame.call_id, frame.parties, Date.parse(frame.at))
      case 'ping':
        this.#say({ type: 'pong' })
        return this.#board.heard()
      case 'me':
        return this.#told.me(frame.me)
      case 'phone':
        return this.#told.phone(frame.phone)
      case 'signed_out':
        return this.#told.signedOut()
      case 'prompt':
        return this.#told.prompt(frame)
      case 'reply':
        return this.#told.reply(frame)
    }
  }
}
