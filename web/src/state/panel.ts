// The Audio Monitoring panel's state: one supervision of mine, from the click to its end. The mode moves on
// the server's word alone; a failure goes back and says why. Knows no React and no words.
//
//   closed ──open──▶ opening ──live──▶ live ⇄ (wanted: switching) ──left, ended──▶ ended ──close──▶ closed
//                       └──refused──▶ ended (problem)
import { Refused, refusedBy, type Api, type Change } from '../api/client'
import type { AgentActionWord, AgentAfter, Call, LegWanted, Mode, Supervision } from '../api/types'
import type { LiveBoard } from './board'
import type { StreamPlayer } from './sound'
import { Store } from './store'

/** Where one hears and speaks. A stream is this browser, one way. */
export type HearOn =
  { kind: 'stream' } | { kind: 'phone' } | { kind: 'sip'; uri: string; name: string }

export interface Panel {
  phase: 'closed' | 'opening' | 'live' | 'ended'
  callId: string
  /** As last seen, so that the end can still be told. */
  call: Call | null
  hearOn: HearOn
  supervision: Supervision | null
  /** Asked for and not yet in force. */
  wanted: Mode | null
  /** What was asked to become of the agent at the takeover. */
  agent_after: AgentAfter | null
  /** By our own clock: until then the customer does not hear what was raised. */
  guard_until_ms: number | null
  /** The last raise was called back within its guard. */
  cancelled: boolean
  problem: Refused | null
  end_reason: string | null
  opened_ms: number
  /** The version of which one has read that the server came down to it by itself. */
  fell_seen: number | null
}

export const CLOSED: Panel = {
  phase: 'closed',
  callId: '',
  call: null,
  hearOn: { kind: 'stream' },
  supervision: null,
  wanted: null,
  agent_after: null,
  guard_until_ms: null,
  cancelled: false,
  problem: null,
  end_reason: null,
  opened_ms: 0,
  fell_seen: null,
}

const ESC_TWICE_MS = 600
const KEPT = 'undertone.panel'
/** A cancel is only called one if its answer came while the guard surely still ran. */
const GUARD_MARGIN_MS = 40

export interface Options {
  mode: Mode
  targets?: string[]
  agent_after?: AgentAfter
  reason?: string
}

/** The microphone and loudspeaker of the browser's own leg. */
export interface Voice {
  ready(here?: boolean): Promise<void>
  speak(): Promise<void>
  pause(): void
  /** The leg is on a call now, whose codec may be another. */
  tune(): Promise<void>
}

type PanelApi = Pick<
  Api,
  'supervise' | 'supervision' | 'stream' | 'change' | 'leave' | 'agentAction' | 'call' | 'phone'
>
type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

export class AudioPanel extends Store<Panel> {
  readonly #api: PanelApi
  readonly #board: LiveBoard
  readonly #player: Pick<StreamPlayer, 'play'>
  readonly #kept: Kept
  readonly #voice: Voice
  #abort: AbortController | null = null
  #asked = 0
  #esc_ms = Number.NEGATIVE_INFINITY
  /** Told after everything that changed something on the server. */
  onDone: () => void = () => {}
  onFirstSound: () => void = () => {}

  constructor(
    api: PanelApi,
    board: LiveBoard,
    player: Pick<StreamPlayer, 'play'>,
    voice: Voice,
    kept: Kept,
  ) {
    super(CLOSED)
    this.#voice = voice
    this.#api = api
    this.#board = board
    this.#player = player
    this.#kept = kept
    board.watch(() => this.#look())
  }

  get mode(): Mode | null {
    const { phase, supervision } = this.get()
    return phase === 'live' && supervision ? supervision.mode : null
  }

  /** Attend a call. On the call that is attended already it changes the mode. */
  async open(callId: string, hearOn: HearOn, options: Options): Promise<void> {
    const now = this.get()
    if (now.phase === 'live' && now.callId === callId && canSpeak(now.hearOn, options.mode)) {
      return this.change({ mode: options.mode, ...optional(options) })
    }
    if (now.phase === 'live' || now.phase === 'opening') await this.leave()
    const turn = ++this.#asked
    const call = this.#board.get().calls.get(callId)?.call ?? null
    const agent_after = options.agent_after ?? null
    const wanted = options.mode
    this.set({
      ...CLOSED,
      phase: 'opening',
      callId,
      call,
      hearOn,
      wanted,
      agent_after,
      opened_ms: Date.now(),
    })
    try {
      const supervision =
        hearOn.kind === 'stream'
          ? await this.#listen(turn, callId)
          : await this.#join(callId, hearOn, options)
      if (turn !== this.#asked) return void this.#api.leave(supervision.id).catch(() => {})
      this.#live(supervision)
      // In the browser only a missing microphone makes less of a wish than was asked for.
      if (hearOn.kind === 'phone' && supervision.mode === 'listen' && options.mode !== 'listen') {
        this.#unheard(options.mode)
      }
      this.onDone()
    } catch (error) {
      if (turn === this.#asked) this.#end(null, refusedBy(error))
    }
  }

  async #join(callId: string, hearOn: HearOn, options: Options): Promise<Supervision> {
    const leg: LegWanted =
      hearOn.kind === 'sip' ? { kind: 'sip', uri: hearOn.uri } : { kind: 'phone' }
    const ask = (mode: Mode) => this.#api.supervise(callId, { mode, leg, ...optional(options) })
    if (hearOn.kind !== 'phone') return ask(options.mode)
    await this.#voice.ready()
    if (options.mode === 'listen') return ask('listen')
    const heard = await this.#voice.speak().then(
      () => true,
      () => false,
    )
    // Without a microphone one listens at once, and is told why no more came of it.
    return ask(heard ? options.mode : 'listen')
  }

  async #listen(turn: number, callId: string): Promise<Supervision> {
    const abort = new AbortController()
    this.#abort = abort
    const { supervisionId, body } = await this.#api.stream(callId, false, abort.signal)
    const playing = this.#player.play(body, () => this.onFirstSound())
    const over = () => {
      if (turn === this.#asked && this.get().phase === 'live') void this.#gone()
    }
    playing.then(over, over)
    return this.#api.supervision(supervisionId)
  }

  #live(supervision: Supervision): void {
    const { hearOn, callId } = this.get()
    this.#kept.setItem(KEPT, JSON.stringify({ id: supervision.id, callId, hearOn }))
    this.update((panel) => ({
      ...panel,
      phase: 'live',
      supervision,
      wanted: null,
      problem: null,
      guard_until_ms: guard(supervision),
    }))
    if (hearOn.kind === 'phone') void this.#voice.tune()
  }

  /** Change the running supervision; what was asked for shows as `wanted` until the server says so. */
  async change(change: Change): Promise<void> {
    const { phase, supervision, wanted, guard_until_ms } = this.get()
    if (phase !== 'live' || !supervision) return
    const turn = ++this.#asked
    const cancelling = change.mode === 'listen' && guard_until_ms !== null
    this.update((p) => ({ ...p, wanted: change.mode ?? wanted, problem: null, cancelled: false }))
    try {
      await this.#hush(change.mode)
      const now = await this.#api.change(supervision.id, change)
      if (turn !== this.#asked) return
      await this.#unhush(now.mode)
      const cancelled = cancelling && Date.now() < (guard_until_ms ?? 0) - GUARD_MARGIN_MS
      this.update((p) => ({
        ...p,
        supervision: newer(p.supervision, now),
        wanted: null,
        agent_after: change.agent_after ?? p.agent_after,
        cancelled,
        guard_until_ms: change.mode ? guard(now) : p.guard_until_ms,
      }))
      this.onDone()
    } catch (error) {
      if (turn !== this.#asked) return // A later wish took its place.
      const problem = refusedBy(error)
      this.update((p) => ({ ...p, wanted: null, problem }))
      if (problem.code === 'microphone_denied') this.#unheard(change.mode)
    }
  }

  /** The microphone stops before a change is asked for, and starts when the server says it is in force. */
  async #hush(mode: Mode | undefined): Promise<void> {
    if (mode === undefined || this.get().hearOn.kind !== 'phone') return
    if (mode !== 'listen') await this.#voice.speak()
    this.#voice.pause()
  }

  async #unhush(mode: Mode): Promise<void> {
    if (this.get().hearOn.kind === 'phone' && mode !== 'listen') await this.#voice.speak()
  }

  /** In listen by somebody else's doing, or by a hand-back: the microphone goes with it. */
  #lowered(now: Supervision): void {
    const { supervision, hearOn } = this.get()
    if (hearOn.kind !== 'phone' || now.mode !== 'listen') return
    if (supervision && supervision.mode !== 'listen') this.#voice.pause()
  }

  async agent(action: AgentActionWord): Promise<void> {
    const { supervision } = this.get()
    if (!supervision) return
    try {
      const now = await this.#api.agentAction(supervision.id, action)
      this.#lowered(now)
      this.update((p) => ({ ...p, supervision: newer(p.supervision, now), problem: null }))
      this.onDone()
    } catch (error) {
      this.update((p) => ({ ...p, problem: refusedBy(error) }))
    }
  }

  /** Once: back to listen (`hand_back` asks, in takeover). Twice within a moment: leave. */
  escape(now_ms: number): 'listen' | 'leave' | 'ask' | 'nothing' {
    const { phase, supervision, wanted } = this.get()
    if (phase === 'opening') return (void this.leave(), 'leave')
    if (phase !== 'live' || !supervision) return 'nothing'
    const twice = now_ms - this.#esc_ms <= ESC_TWICE_MS
    this.#esc_ms = now_ms
    if (twice) return (void this.leave(), 'leave')
    if (supervision.mode === 'takeover') return 'ask'
    if (supervision.mode === 'listen' && wanted === null) return 'nothing'
    void this.change({ mode: 'listen' })
    return 'listen'
  }

  async leave(): Promise<void> {
    this.#asked += 1
    const { supervision, phase } = this.get()
    this.#abort?.abort()
    this.#abort = null
    if (supervision && phase === 'live') {
      await this.#api.leave(supervision.id).catch(() => {}) // Gone already is as good.
    }
    this.#forget()
    this.set(CLOSED)
    this.onDone()
  }

  /** What was kept for a reload is another page's. */
  forgetKept(): void {
    this.#forget()
  }

  /** Somebody else sits here: nothing of it is theirs. The server has ended it with the session. */
  reset(): void {
    this.#asked += 1
    this.#abort?.abort()
    this.#abort = null
    this.#voice.pause()
    this.#forget()
    this.set(CLOSED)
  }

  close(): void {
    if (this.get().phase === 'ended') this.set(CLOSED)
  }

  /** Something of ours is missing for what was wished. */
  needs(code: 'needs_phone' | 'microphone_denied', reason: string = code): void {
    if (this.get().phase === 'live')
      this.update((p) => ({ ...p, problem: new Refused(0, code, [reason], '') }))
  }

  #unheard(mode: Mode | undefined): void {
    this.needs('microphone_denied', mode === 'whisper' ? 'microphone_to_whisper' : undefined)
  }

  dismiss(): void {
    this.update((p) => ({ ...p, problem: null, cancelled: false }))
  }

  /** One has read what it fell to. */
  fellSeen(): void {
    this.update((p) => ({ ...p, fell_seen: p.supervision?.version ?? null }))
  }

  /** After a reload: the server still has the supervision, or says that it has not. */
  async restore(): Promise<void> {
    const text = this.#kept.getItem(KEPT)
    if (!text) return
    const { id, callId, hearOn } = JSON.parse(text) as {
      id: string
      callId: string
      hearOn: HearOn
    }
    if (hearOn.kind === 'stream') return this.#forget()
    await this.#adopt(id, callId, hearOn)
  }

  /** Takes the browser's phone from another page, and with it the supervision that runs on it. */
  async takePhone(): Promise<boolean> {
    await this.#voice.ready(true)
    const phone = await this.#api.phone()
    if (!phone.supervision_id || !phone.call_id) return false
    await this.#adopt(phone.supervision_id, phone.call_id, { kind: 'phone' })
    return true
  }

  async #adopt(id: string, callId: string, hearOn: HearOn): Promise<void> {
    const supervision = await this.#api.supervision(id).catch(() => null)
    if (supervision?.state !== 'live') return this.#forget()
    const opened_ms = Date.parse(supervision.started_at)
    this.#kept.setItem(KEPT, JSON.stringify({ id, callId, hearOn }))
    this.set({ ...CLOSED, phase: 'live', callId, hearOn, supervision, opened_ms })
    this.#look()
    if (hearOn.kind !== 'phone') return
    try {
      await this.#voice.ready()
      if (supervision.mode !== 'listen') await this.#voice.speak()
    } catch (error) {
      this.update((p) => (p.phase === 'live' ? { ...p, problem: refusedBy(error) } : p))
    }
  }

  /** The board knows more: a version of mine that is newer, or that the call is over. */
  #look(): void {
    const { phase, supervision, callId, call } = this.get()
    if (phase !== 'live' || !supervision) return
    const board = this.#board.get()
    const seen = board.calls.get(callId)?.call
    if (!seen) {
      if (board.loaded && board.error === null) void this.#gone()
      return
    }
    const mine = seen.supervisions.find((one) => one.id === supervision.id)
    if (mine && (mine.state === 'ended' || mine.state === 'failed'))
      return this.#end(mine.end_reason ?? null, null)
    const next = newer(supervision, mine ?? supervision)
    this.#lowered(next)
    if (seen !== call || next !== supervision)
      this.update((p) => ({ ...p, call: seen, supervision: next }))
  }

  async #gone(): Promise<void> {
    const turn = this.#asked
    const { callId, supervision } = this.get()
    const call = await this.#api.call(callId).catch(() => null)
    if (turn !== this.#asked || this.get().phase !== 'live') return
    const mine = call?.supervisions.find((one) => one.id === supervision?.id)
    // The board may only have been late.
    if (
      call &&
      call.state !== 'ended' &&
      mine?.state === 'live' &&
      this.get().hearOn.kind !== 'stream'
    )
      return
    if (call) this.update((p) => ({ ...p, call, supervision: mine ?? p.supervision }))
    this.#end(mine?.end_reason ?? call?.end_reason ?? null, null)
  }

  #end(end_reason: string | null, problem: Refused | null): void {
    this.#asked += 1
    this.#abort?.abort()
    this.#abort = null
    this.#forget()
    this.update((p) => ({
      ...p,
      phase: 'ended',
      wanted: null,
      guard_until_ms: null,
      end_reason,
      problem,
    }))
  }

  #forget(): void {
    this.#kept.removeItem(KEPT)
  }
}

/** Whether one can be in this mode with this leg without another one. */
export const canSpeak = (hearOn: HearOn, mode: Mode) =>
  hearOn.kind !== 'stream' || mode === 'listen'

function optional({ targets, agent_after, reason }: Options): Partial<Options> {
  return {
    ...(targets ? { targets } : {}),
    ...(agent_after ? { agent_after } : {}),
    ...(reason ? { reason } : {}),
  }
}

const newer = (old: Supervision | null, now: Supervision) =>
  old && old.version >= now.version ? old : now

const guard = (supervision: Supervision) =>
  supervision.guard_ms > 0 && (supervision.mode === 'barge' || supervision.mode === 'takeover')
    ? Date.now() + supervision.guard_ms
    : null
