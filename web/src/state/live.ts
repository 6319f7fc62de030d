// Keeps the board fresh: by the events of the WebSocket where the server has them, else by asking once a
// second. Resumes by itself, backs off, and never shows nothing as something.
import { refusedBy, type Api } from '../api/client'
import type { Agent, Call, Me, PartyMeter, Phone, Help } from '../api/types'
import type { Changes, LiveBoard } from './board'
import type { Prompt, Reply } from './notes'
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
  | { type: 'phone'; phone: Phone }
  | { type: 'ping' }
  | { type: 'signed_out'; reason: string }
  | ({ type: 'prompt' } & Prompt)
  | ({ type: 'reply' } & Reply)

/** What the socket tells besides the board. */
export interface Told {
  me(me: Me): void
  phone(phone: Phone | null): void
  signedOut(): void
  prompt(prompt: Prompt): void
  reply(reply: Reply): void
}

const SIGNED_OUT = 4401
/** Rights have changed: another view of the board begins. */
const COME_BACK = 4001
/** As the server allows. */
const WATCHED_AT_MOST = 16

export class Events implements Live {
  #socket: WebSocket | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #running = false
  #failures = 0
  #cursor: string | null = null
  #watched: string[] = []
  readonly #board: LiveBoard
  readonly #clock: ServerClock
  readonly #told: Told

  constructor(board: LiveBoard, clock: ServerClock, told: Told) {
    this.#board = board
    this.#clock = clock
    this.#told = told
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#open()
  }

  stop(): void {
    this.#running = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#socket?.close(1000)
    this.#socket = null
  }

  nudge(): void {}

  watch(calls: string[]): void {
    this.#watched = calls.slice(0, WATCHED_AT_MOST)
    this.#board.watched(this.#watched)
    this.#say({ type: 'watch', calls: this.#watched })
  }

  #open(): void {
    const after = this.#cursor ? `?after=${encodeURIComponent(this.#cursor)}` : ''
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/events${after}`)
    this.#socket = socket
    socket.addEventListener('open', () => {
      if (this.#watched.length > 0) this.#say({ type: 'watch', calls: this.#watched })
    })
    socket.addEventListener('message', (message) => this.#hear(String(message.data)))
    socket.addEventListener('close', (event) => this.#closed(event.code))
  }

  #closed(code: number): void {
    if (!this.#running) return
    this.#socket = null
    if (code === SIGNED_OUT) return this.#told.signedOut()
    if (code === COME_BACK) {
      this.#cursor = null
      return this.#open()
    }
    this.#failures += 1
    const wait = backOff(this.#failures - 1) * (0.75 + Math.random() / 2)
    this.#timer = setTimeout(() => this.#open(), wait)
  }

  #say(what: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(what))
  }

  #hear(text: string): void {
    const frame = JSON.parse(text) as Frame
    this.#failures = 0
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
