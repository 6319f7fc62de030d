// The Audio Monitoring panel's state: one supervision of mine, from the click to its end. The mode moves on
// the server's word alone; a failure goes back and says why, and one has left when the server says so, not before.
// Opens no microphone: it says what is true, and microphone.ts goes by that. Knows no React and no words.
//
//   closed ──open──▶ opening ──live──▶ live ⇄ (wanted: switching) ──left, ended──▶ ended ──close──▶ closed
//                       └──refused──▶ ended (problem)          └─leave refused: live, silent, not_left
import { Refused, refusedBy, type Api, type Change } from '../api/client'
import type { AgentActionWord, AgentAfter, Call, LegWanted, Mode, Supervision } from '../api/types'
import type { LiveBoard } from './board'
import { Keep, discard, isOver, pause, sought } from './panel-kept'
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
  /** By one's own wish nothing is sent from here, whatever the server has in force. */
  silent: boolean
  /** One is on the way out, and the server has not said yes. */
  leaving: boolean
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
  silent: false,
  leaving: false,
  guard_until_ms: null,
  cancelled: false,
  problem: null,
  end_reason: null,
  opened_ms: 0,
  fell_seen: null,
}

const ESC_TWICE_MS = 600
/** The board may only be late: so long until it is asked about again. */
const LATE_MS = 2_000

export interface Options {
  mode: Mode
  targets?: string[]
  agent_after?: AgentAfter
  reason?: string
}

/** The microphone and loudspeaker of the browser's own leg. */
export interface Voice {
  ready(here?: boolean): Promise<void>
  /** The microphone is there, and not open by that. */
  prepare(): Promise<void>
  close(): Promise<void>
  /** The leg is on a call now, whose codec may be another. */
  tune(): Promise<void>
}

type PanelApi = Pick<
  Api,
  'supervise' | 'supervision' | 'stream' | 'change' | 'leave' | 'agentAction' | 'call' | 'phone'
>

export class AudioPanel extends Store<Panel> {
  readonly #api: PanelApi
  readonly #board: LiveBoard
  readonly #player: Pick<StreamPlayer, 'play'>
  readonly #keep: Keep
  readonly #voice: Voice
  #abort: AbortController | null = null
  #asked = 0
  #departing: Promise<boolean> | null = null
  /** The server is being asked whether it is over. */
  #going = false
  /** Of this supervision the board has known: when it is not there any more, it is over. */
  #boarded: string | null = null
  /** Found again after a reload, as soon as the server answers. */
  #sought: string | null = null
  #esc_ms = Number.NEGATIVE_INFINITY
  /** Told after everything that changed something on the server. */
  onDone: () => void = () => {}
  onFirstSound: () => void = () => {}

  constructor(
    api: PanelApi,
    board: LiveBoard,
    player: Pick<StreamPlayer, 'play'>,
    voice: Voice,
    kept: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  ) {
    super(CLOSED)
    this.#voice = voice
    this.#api = api
    this.#board = board
    this.#player = player
    this.#keep = new Keep(kept)
    board.watch(() => this.#look())
  }

  get mode(): Mode | null {
    const { phase, supervision } = this.get()
    return phase === 'live' && supervision ? supervision.mode : null
  }

  /** Counts the wishes: whoever waited for something sees whether its own still stands. */
  get turn(): number {
    return this.#asked
  }

  #stands(turn: number): void {
    if (turn !== this.#asked) throw new Refused(0, 'superseded', ['superseded'], '')
  }

  /** Attend a call. On the call that is attended already it changes the mode. */
  async open(callId: string, hearOn: HearOn, options: Options): Promise<void> {
    const now = this.get()
    if (now.phase === 'live' && now.callId === callId && canSpeak(now.hearOn, options.mode)) {
      return this.change({ mode: options.mode, ...optional(options) })
    }
    if (now.phase === 'opening' && now.callId === callId) {
      if (now.wanted === options.mode || this.#waits(now, hearOn, options)) return
    }
    const turn = ++this.#asked
    this.#opens = options.mode
    this.#next = null
    if (now.phase === 'live' && !(await this.#depart())) return
    if (turn !== this.#asked) return
    this.#quiet()
    const call = this.#board.get().calls.get(callId)?.call ?? null
    const agent_after = options.agent_after ?? null
    const wanted = options.mode
    const opened_ms = Date.now()
    this.set({ ...CLOSED, phase: 'opening', callId, call, hearOn, wanted, agent_after, opened_ms })
    try {
      const supervision =
        hearOn.kind === 'stream'
          ? await this.#listen(turn, callId)
          : await this.#join(turn, callId, hearOn, options)
      if (turn !== this.#asked) return void discard(this.#api, supervision.id)
      this.#live(supervision)
      // In the browser only a missing microphone makes less of a wish than was asked for.
      if (hearOn.kind === 'phone' && supervision.mode === 'listen' && options.mode !== 'listen') {
        this.#unheard(options.mode, this.#without)
      }
      await this.#follow()
    } catch (error) {
      if (turn === this.#asked) this.#end(null, refusedBy(error))
    }
  }

  /** The mode in which it opens; null while one is found again. */
  #opens: Mode | null = null
  /** What was asked for while it opened to listen. */
  #next: Options | null = null

  /** A wish over a listen that still opens waits for it: to leave and begin anew would be slower, and two supervisions. */
  #waits(now: Panel, hearOn: HearOn, options: Options): boolean {
    if (this.#opens !== 'listen' || now.hearOn.kind !== hearOn.kind) return false
    if (!canSpeak(hearOn, options.mode)) return false
    this.#next = options.mode === 'listen' ? null : options
    this.update((p) => ({
      ...p,
      wanted: options.mode,
      agent_after: options.agent_after ?? p.agent_after,
    }))
    return true
  }

  async #follow(): Promise<void> {
    const next = this.#next
    this.#next = null
    if (next) return this.change({ mode: next.mode, ...optional(next) })
    this.onDone()
  }

  /** What kept the microphone away. */
  #without: Refused | null = null

  async #join(
    turn: number,
    callId: string,
    hearOn: HearOn,
    options: Options,
  ): Promise<Supervision> {
    const leg: LegWanted =
      hearOn.kind === 'sip' ? { kind: 'sip', uri: hearOn.uri } : { kind: 'phone' }
    const ask = (mode: Mode) => {
      this.#stands(turn)
      return this.#api.supervise(callId, { mode, leg, ...optional(options) })
    }
    if (hearOn.kind !== 'phone') return ask(options.mode)
    await this.#voice.ready()
    if (options.mode === 'listen') return ask('listen')
    this.#stands(turn)
    this.#without = await this.#voice.prepare().then(() => null, refusedBy)
    // Without a microphone one listens at once, and is told why no more came of it.
    return ask(this.#without ? 'listen' : options.mode)
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
    this.#keep.write({ id: supervision.id, callId, hearOn })
    this.update((panel) => ({
      ...panel,
      phase: 'live',
      supervision,
      wanted: null,
      problem: null,
      guard_until_ms: this.#guard(supervision),
    }))
    if (hearOn.kind === 'phone') void this.#voice.tune()
  }

  /** Change the running supervision; a mode that was asked for shows as `wanted` until the server says so. */
  async change(change: Change): Promise<void> {
    const { phase, supervision, hearOn, leaving } = this.get()
    if (phase !== 'live' || !supervision || leaving) return
    const here = hearOn.kind === 'phone'
    // What changes no mode takes no wish's place.
    const turn = change.mode ? ++this.#asked : this.#asked
    this.update((p) => ({
      ...p,
      wanted: change.mode ?? p.wanted,
      silent: p.silent || (here && change.muted === true),
      problem: null,
      cancelled: false,
    }))
    try {
      if (here && change.mode && change.mode !== 'listen') await this.#voice.prepare()
      this.#stands(turn)
      const now = await this.#api.change(supervision.id, change)
      this.#learn(now)
      this.#stands(turn)
      const cancelled = change.mode !== undefined && isCancelled(supervision, now)
      this.update((p) => ({
        ...p,
        wanted: change.mode ? null : p.wanted,
        silent: change.mode || change.muted !== undefined ? now.muted : p.silent,
        agent_after: change.agent_after ?? p.agent_after,
        cancelled,
        guard_until_ms: change.mode ? this.#guard(now) : p.guard_until_ms,
      }))
      this.onDone()
    } catch (error) {
      if (turn !== this.#asked) return // A later wish took its place.
      const problem = refusedBy(error)
      this.update((p) => ({ ...p, wanted: change.mode ? null : p.wanted, problem }))
      if (problem.code.startsWith('microphone_')) this.#unheard(change.mode, problem)
    }
  }

  /** An answer is true, whether or not its wish still stands. */
  #learn(now: Supervision): void {
    this.update((p) =>
      p.phase === 'live' && p.supervision?.id === now.id
        ? { ...p, supervision: newer(p.supervision, now) }
        : p,
    )
  }

  /** How long Esc still cancels, at most; when that is over, it is not said any more. */
  #guard(supervision: Supervision): number | null {
    if (!isGuarded(supervision)) return null
    const { guard_ms } = supervision
    const until = Date.now() + guard_ms
    setTimeout(() => {
      this.update((p) => (p.guard_until_ms === until ? { ...p, guard_until_ms: null } : p))
    }, guard_ms)
    return until
  }

  /** True when the server has done it. A hand-back is a change of mode: nothing is sent meanwhile. */
  async agent(action: AgentActionWord): Promise<boolean> {
    const { supervision, phase, leaving } = this.get()
    if (phase !== 'live' || !supervision || leaving) return false
    const back = action === 'hand_back'
    const turn = back ? ++this.#asked : this.#asked
    this.update((p) => ({ ...p, wanted: back ? 'listen' : p.wanted, problem: null }))
    const wanted = (p: Panel) => (back ? null : p.wanted)
    try {
      const now = await this.#api.agentAction(supervision.id, action)
      this.#learn(now)
      this.#stands(turn)
      const cancelled = back && isCancelled(supervision, now)
      this.update((p) => ({ ...p, wanted: wanted(p), cancelled }))
      this.onDone()
      return true
    } catch (error) {
      if (turn === this.#asked)
        this.update((p) => ({ ...p, wanted: wanted(p), problem: refusedBy(error) }))
      return false
    }
  }

  /** Once: back to listen. Twice within a moment: leave. In a takeover it asks: a customer would be left. */
  escape(now_ms: number): 'listen' | 'leave' | 'ask' | 'nothing' {
    const { phase, supervision, wanted, leaving } = this.get()
    if (phase === 'opening') return (void this.leave(), 'leave')
    if (phase !== 'live' || !supervision || leaving) return 'nothing'
    if (supervision.mode === 'takeover') return 'ask'
    const twice = now_ms - this.#esc_ms <= ESC_TWICE_MS
    this.#esc_ms = now_ms
    if (twice) return (void this.leave(), 'leave')
    if (supervision.mode === 'listen' && wanted === null) return 'nothing'
    void this.change({ mode: 'listen' })
    return 'listen'
  }

  /** True when one has left by the server's word. Until then the panel stays, and nothing is sent. */
  async leave(): Promise<boolean> {
    this.#asked += 1
    if (this.get().phase === 'live') return this.#depart()
    if (this.#sought) void discard(this.#api, this.#sought)
    this.reset()
    this.onDone()
    return true
  }

  #depart(): Promise<boolean> {
    this.#departing ??= this.#left().finally(() => (this.#departing = null))
    return this.#departing
  }

  async #left(): Promise<boolean> {
    const { supervision, hearOn } = this.get()
    if (!supervision) return true
    const silent = hearOn.kind === 'phone'
    this.update((p) => ({
      ...p,
      leaving: true,
      silent: p.silent || silent,
      wanted: null,
      problem: null,
    }))
    this.#quiet()
    const refusal = await this.#api.leave(supervision.id).then(() => null, refusedBy)
    // Of a stream there is nothing left once it is not read any more.
    if (refusal && !isOver(refusal) && hearOn.kind !== 'stream' && this.get().phase === 'live') {
      const reasons = refusal.reasons.length > 0 ? refusal.reasons : [refusal.code]
      const problem = new Refused(refusal.status, 'not_left', reasons, refusal.message)
      this.update((p) => ({ ...p, leaving: false, problem }))
      return false
    }
    this.#keep.forget()
    this.set(CLOSED)
    this.onDone()
    return true
  }

  /** The last resort where the server does not let one leave: the browser's phone hangs up. */
  async hangUp(): Promise<void> {
    const { supervision } = this.get()
    this.reset()
    await this.#voice.close()
    if (supervision) await discard(this.#api, supervision.id)
  }

  /** Nothing is attended here, and nothing is kept of it; the server is not asked, or has ended it already. */
  reset(): void {
    this.#asked += 1
    this.#sought = null
    this.#quiet()
    this.#keep.forget()
    this.set(CLOSED)
  }

  /** The stream is not read any more. */
  #quiet(): void {
    this.#abort?.abort()
    this.#abort = null
  }

  /** What was kept for a reload is another page's. */
  forgetKept(): void {
    this.#keep.forget()
  }

  close(): void {
    if (this.get().phase === 'ended') this.set(CLOSED)
  }

  /** Something of ours is missing for what was wished. */
  needs(code: string, reason: string = code): void {
    this.refused(new Refused(0, code, [reason], ''))
  }

  /** Something that was tried beside the running supervision came to nothing. */
  refused(problem: Refused): void {
    if (this.get().phase === 'live') this.update((p) => ({ ...p, problem }))
  }

  #unheard(mode: Mode | undefined, why: Refused | null): void {
    const code = why?.code ?? 'microphone_denied'
    const whisper = code === 'microphone_denied' && mode === 'whisper'
    this.needs(code, whisper ? 'microphone_to_whisper' : undefined)
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
    const kept = this.#keep.read()
    if (!kept) return
    await this.#adopt(kept.id, kept.callId, kept.hearOn)
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
    const turn = ++this.#asked
    const stands = () => turn === this.#asked
    const supervision = await sought(this.#api, id, stands, () => {
      this.#sought = id
      this.#opens = null
      this.set({ ...CLOSED, phase: 'opening', callId, hearOn, opened_ms: Date.now() })
    })
    if (turn !== this.#asked) return
    this.#sought = null
    if (supervision?.state !== 'live') return this.reset()
    const opened_ms = Date.parse(supervision.started_at)
    this.#keep.write({ id, callId, hearOn })
    this.set({ ...CLOSED, phase: 'live', callId, hearOn, supervision, opened_ms })
    this.#look()
    if (hearOn.kind !== 'phone') return
    try {
      await this.#voice.ready()
      if (this.get().supervision?.mode !== 'listen') await this.#voice.prepare()
    } catch (error) {
      if (turn === this.#asked) this.refused(refusedBy(error))
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
    if (mine) this.#boarded = mine.id
    else if (this.#boarded === supervision.id) void this.#gone()
    const next = newer(supervision, mine ?? supervision)
    if (seen !== call || next !== supervision)
      this.update((p) => ({ ...p, call: seen, supervision: next }))
  }

  /** It may be over. What could not be asked is not over, and is asked again. */
  async #gone(): Promise<void> {
    if (this.#going) return
    this.#going = true
    const { callId, supervision, hearOn } = this.get()
    const call = await this.#api.call(callId).catch(refusedBy)
    const now = this.get()
    const same = now.phase === 'live' && now.supervision?.id === supervision?.id
    if (same && this.#isOver(call, supervision, hearOn)) {
      this.#going = false
      if (call instanceof Refused) return this.#end(null, null)
      const mine = call.supervisions.find((one) => one.id === supervision?.id)
      this.update((p) => ({ ...p, call, supervision: mine ?? p.supervision }))
      return this.#end(mine?.end_reason ?? call.end_reason ?? null, null)
    }
    await pause(LATE_MS)
    this.#going = false
    this.#look()
  }

  #isOver(call: Call | Refused, supervision: Supervision | null, hearOn: HearOn): boolean {
    if (hearOn.kind === 'stream') return true // Its sound has ended.
    if (call instanceof Refused) return isOver(call)
    const mine = call.supervisions.find((one) => one.id === supervision?.id)
    // The board may only have been late.
    return call.state === 'ended' || mine?.state !== 'live'
  }

  #end(end_reason: string | null, problem: Refused | null): void {
    this.#asked += 1
    this.#quiet()
    this.#keep.forget()
    this.update((p) => ({
      ...p,
      phase: 'ended',
      // What never came about may be tried again as it was meant.
      wanted: p.phase === 'opening' ? p.wanted : null,
      leaving: false,
      guard_until_ms: null,
      end_reason,
      problem,
    }))
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

const isRaised = ({ mode }: Supervision) => mode === 'barge' || mode === 'takeover'

/** Back from among all, and by the server's word the customer never heard anything of it. */
const isCancelled = (before: Supervision, now: Supervision) =>
  isRaised(before) && !isRaised(now) && now.last_raise?.heard === false

/** What is open toward the customer is so only after a while. */
const isGuarded = (one: Supervision) => one.guard_ms > 0 && isRaised(one)
