// All state put together, once for a page. No React: views get this object by context, tests make their own.
import { makeApi, type Api } from '../api/client'
import { features } from '../api/features'
import type { Limits } from '../api/types'
import type { Device, Mode, Phone } from '../api/types'
import { Catalogue } from '../words/catalogue'
import { LIMITS } from './attention'
import { Announcer } from './announce'
import { inForce, labelsOf, type Labels } from './labels'
import { LiveBoard } from './board'
import { ModeClick, clickHere } from './click'
import { RaisedHand } from './hand'
import { HearAs } from './hearas'
import { CallsHere } from './here'
import { Aside } from './holding'
import { Answering } from './incoming'
import { Keypad } from './keypad'
import { Keys } from './keys'
import { LineWatch } from './line'
import { Asking, Events, type Connection, type Live } from './live'
import { Marks } from './marks'
import { MicMeter } from './mic'
import { Microphone } from './microphone'
import { Notes, type Prompt, type Reply } from './notes'
import { CallOver } from './over'
import { OpenPage } from './page'
import { AudioPanel, type HearOn } from './panel'
import { BrowserPhone } from './phone'
import { PreferenceStore } from './preferences'
import { SessionStore } from './session'
import { StreamPlayer } from './sound'
import { Store } from './store'
import { ServerClock, Ticker } from './time'
import { Whys } from './whys'
import { WrapUps } from './wrapup'

export interface App {
  api: Api
  session: SessionStore
  preferences: PreferenceStore
  words: Catalogue
  clock: ServerClock
  ticker: Ticker
  board: LiveBoard
  whys: Whys
  announcer: Announcer
  page: OpenPage
  live: Live
  player: StreamPlayer
  phone: BrowserPhone
  panel: AudioPanel
  /** Whether what one says and does there gets through. */
  line: LineWatch
  /** By which this page is told of everything. */
  connection: Store<Connection>
  /** It cannot be opened; the board is asked for instead. */
  barred: Store<boolean>
  /** Prompts and replies. */
  notes: Notes
  hand: RaisedHand
  answering: Answering
  callsHere: CallsHere
  wrapUps: WrapUps
  callOver: CallOver
  keys: Keys
  /** The demo's switch of ears. */
  hearAs: HearAs
  keypad: Keypad
  marks: Marks
  /** One's own microphone, while one is to be heard. */
  mic: MicMeter
  /** Whether it may be heard, and the keys that say so. */
  microphone: Microphone
  aside: Aside
  /** What dialogs are open over the page. */
  dialog: Store<Dialog>
  limits(): Limits
  /** What things are called, for who is signed in. */
  labels(): Labels
  devices(): Device[]
  /** Where a mode would be heard and spoken, or null if a phone must be set up first. */
  hearOn(mode: Mode): HearOn | null
}

export type Dialog =
  | { kind: 'none' | 'keys' | 'headset' | 'hand_back' }
  | { kind: 'takeover'; callId: string }
  /** Out of a takeover; `then`: what is to be attended next. */
  | { kind: 'leave'; then: { callId: string; mode: Mode } | null }

export function makeApp(): App {
  const session = new SessionStore(sessionStorage)
  const api = makeApi(session.credentials, session.lost)
  const preferences = new PreferenceStore(localStorage)
  const words = new Catalogue()
  const clock = new ServerClock()
  const board = new LiveBoard()
  const player = new StreamPlayer()
  const ears = new StreamPlayer()
  const phone = new BrowserPhone(api, sessionStorage)
  const panel = new AudioPanel(api, board, player, phone, sessionStorage)
  const notes = new Notes()
  const told = {
    me: (me: Parameters<SessionStore['known']>[0]) => session.known(me),
    phone: (now: Phone | null) => phone.told(now),
    signedOut: session.lost,
    // What changed of rights, words and limits meanwhile was told to nobody.
    again: () =>
      void api.me().then(
        (me) => session.known(me),
        () => {},
      ),
    prompt: (one: Prompt) => notes.prompt(one),
    reply: (one: Reply) => notes.reply(one),
  }
  const bySocket = () => features.events && !session.credentials().key
  const asking = new Asking(api, board, clock)
  const events = new Events(board, clock, told, () => phone.tab)
  const chosen = (): Live => (bySocket() ? events : asking)
  // Where no WebSocket comes through, asking does, until it comes through again.
  events.barred.watch(() => (events.barred.get() ? asking.start() : asking.stop()))
  const live: Live = {
    start: () => chosen().start(),
    stop: () => [asking, events].forEach((one) => one.stop()),
    nudge: () => chosen().nudge(),
    watch: (calls) => chosen().watch(calls),
  }
  session.onLeaving = async () => {
    await panel.leave()
    await phone.close()
  }
  panel.onDone = () => live.nudge()
  new ModeClick(panel, () => clickHere(preferences.get().volume))
  // From the click to the first sound: read by tests, and by who asks the browser.
  panel.onFirstSound = () => performance.mark('undertone:first-sound')

  const me = () => {
    const now = session.get()
    return now.phase === 'in' ? now.me : null
  }
  const devices = (): Device[] => {
    const own = preferences.get().deskPhone.trim()
    const typed = own === '' ? [] : [{ id: own, name: own, uri: sipUri(own), ready: true }]
    return me()?.devices ?? typed
  }
  const desk = (): HearOn | null => {
    // One that is switched off does not ring.
    const device = devices().find((one) => one.ready) ?? devices()[0]
    return device ? { kind: 'sip', uri: device.uri, name: device.name } : null
  }
  const hearOn = (mode: Mode): HearOn | null => {
    const here: HearOn | null = features.phone
      ? { kind: 'phone' }
      : mode === 'listen'
        ? { kind: 'stream' }
        : null
    return preferences.get().hearOn === 'desk' ? (desk() ?? here) : (here ?? desk())
  }

  watchLevels(live, board, panel)
  const hand = new RaisedHand(api)
  const announcer = new Announcer()
  const answering = new Answering(api, phone)
  const callsHere = new CallsHere(phone, answering, sessionStorage)
  const dialog = new Store<Dialog>({ kind: 'none' })
  const wrapUps = new WrapUps(api, board, () => me()?.person.id ?? null)
  const callOver = new CallOver(board, () => me()?.person.id ?? null)
  follow(session, live, board, panel, phone, callsHere)
  session.watch(() => {
    const now = session.get()
    preferences.of(now.phase === 'in' ? (now.me?.person.id ?? 'by key') : null)
    if (now.phase !== 'out') return
    notes.forget()
    wrapUps.forget()
    callOver.forget()
    hand.forget()
    announcer.forget()
    answering.set({ problem: null })
    dialog.set({ kind: 'none' })
  })
  const app: App = {
    api,
    session,
    preferences,
    words,
    clock,
    ticker: new Ticker(),
    board,
    whys: new Whys(board, () => me()?.policy ?? LIMITS),
    announcer,
    page: new OpenPage(),
    live,
    player,
    phone,
    panel,
    connection: events.connection,
    barred: events.barred,
    line: new LineWatch({ panel, phone, connection: events.connection }),
    notes,
    hand,
    wrapUps,
    callOver,
    answering,
    callsHere,
    keys: new Keys(() => ({ on: preferences.get().keys, map: preferences.get().keymap })),
    hearAs: new HearAs({
      api,
      panel,
      player: ears,
      deafen: (on) => [phone, player].forEach((one) => one.deafen(on)),
    }),
    keypad: new Keypad(phone, panel),
    marks: new Marks(api, panel),
    mic: new MicMeter({ panel, phone, level: () => phone.loudness(), still }),
    microphone: new Microphone({
      panel,
      phone,
      board,
      preferences,
      me: () => me()?.person.id ?? null,
    }),
    aside: new Aside(panel),
    dialog,
    limits: () => me()?.policy ?? LIMITS,
    labels: () => inForce(labelsOf(me()), preferences.get().preset),
    devices,
    hearOn,
  }
  player.volume(preferences.get().volume)
  phone.volume(preferences.get().volume)
  const chooseMicrophone = () => (phone.device = preferences.get().headset?.microphone ?? '')
  chooseMicrophone()
  preferences.watch(chooseMicrophone)
  phone.onSound = firstSound(panel)
  return app
}

/** Asked anew each time: it may be changed while the page is open. */
const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches

/** Live data runs exactly while somebody is signed in. */
function follow(
  session: SessionStore,
  live: Live,
  board: LiveBoard,
  panel: AudioPanel,
  phone: BrowserPhone,
  callsHere: CallsHere,
): void {
  let inside = false
  session.watch(() => {
    const now = session.get().phase === 'in'
    if (now === inside) return
    inside = now
    if (now) {
      live.start()
      void panel.restore()
      void callsHere.restore()
    } else {
      live.stop()
      panel.reset()
      callsHere.forget() // Who signs in next has not chosen it.
      void phone.close()
      board.forget()
    }
  })
}

/** Levels of the call that one attends, and of as many others as the server tells. */
function watchLevels(live: Live, board: LiveBoard, panel: AudioPanel): void {
  let watched = ''
  const look = () => {
    const { phase, callId } = panel.get()
    const mine = phase === 'live' ? [callId] : []
    const calls = [...new Set([...mine, ...board.get().calls.keys()])]
    const next = calls.slice(0, 16).join(' ')
    if (next === watched) return
    watched = next
    live.watch(calls)
  }
  board.watch(look)
  panel.watch(look)
}

/** Marks the first sound after each opening, once. */
function firstSound(panel: AudioPanel): () => void {
  let marked = 0
  return () => {
    const { phase, opened_ms } = panel.get()
    if ((phase !== 'live' && phase !== 'opening') || marked === opened_ms) return
    marked = opened_ms
    panel.onFirstSound()
  }
}

export function sipUri(typed: string): string {
  const text = typed.trim()
  return /^sips?:/i.test(text) ? text : `sip:${text}`
}
