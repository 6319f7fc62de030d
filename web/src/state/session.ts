// Who is signed in, and how. A pasted API key lives in this tab's session storage and nowhere else; a
// session is the server's cookie, which no script can read.
import { Refused, refusedBy, type Api, type Credentials } from '../api/client'
import { features } from '../api/features'
import type { Me, Mode, SessionOffer } from '../api/types'
import { forgetFirstToken } from './first'
import { Store } from './store'

export type Session =
  | { phase: 'unknown' }
  | { phase: 'out'; offer: SessionOffer | null; problem: Refused | null; busy: boolean }
  | { phase: 'in'; me: Me | null }

const KEY = 'undertone.key'
const ASK_AGAIN_MS = 2_000
export interface Stuck {
  problem: Refused
  everywhere: boolean
}
type Out = Extract<Session, { phase: 'out' }>
const OUT: Out = { phase: 'out', offer: null, problem: null, busy: false }
type SessionApi = Pick<Api, 'calls' | 'me' | 'sessionOffer' | 'signIn' | 'signInFirst' | 'signOut'>

export class SessionStore extends Store<Session> {
  readonly #kept: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  /** A sign-out that the server did not take: one is still signed in, whatever the page shows. */
  readonly stuck = new Store<Stuck | null>(null)
  /** What goes by the key while there still is one. */
  onLeaving: () => Promise<void> = async () => {}
  #key: string | null
  #api: SessionApi | null = null

  constructor(kept: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) {
    super({ phase: 'unknown' })
    this.#kept = kept
    this.#key = kept.getItem(KEY)
  }

  credentials = (): Credentials => {
    const session = this.get()
    const csrf = session.phase === 'in' ? (session.me?.csrf ?? null) : null
    return { key: this.#key, csrf }
  }

  /** The api signs with what this store holds, so that they come to know each other after both are made. */
  async begin(api: SessionApi, search = ''): Promise<void> {
    this.#api = api
    const asked = new URLSearchParams(search)
    if (this.#key) return this.withKey(this.#key)
    if (!features.sessions) return this.set(OUT)
    const offer = await this.#offer(api)
    if (!offer) return
    if (offer.signed_in) return this.#enter(async () => {})
    this.set({ ...OUT, offer })
    const role = offer?.demo?.find((one) => one.login === asked.get('as'))
    if (role) await this.withPassword(role.login, role.password)
  }

  /** A server that does not answer yet may still know this browser: it is asked until it does. */
  async #offer(api: SessionApi): Promise<SessionOffer | null> {
    for (;;) {
      const offer = await api.sessionOffer().catch(refusedBy)
      const now = this.get()
      // By then one may have come in, or be about to.
      if (now.phase === 'in' || (now.phase === 'out' && now.busy)) return null
      if (!(offer instanceof Refused)) return offer
      if (now.phase === 'unknown') this.set({ ...OUT, problem: offer })
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    }
  }

  async withKey(key: string): Promise<void> {
    this.#key = key.trim()
    await this.#enter(async (api) => {
      if (!features.me) await mayBeRefused(api.calls())
    })
    if (this.get().phase === 'in') this.#kept.setItem(KEY, this.#key ?? '')
    else this.#key = null
  }

  async withPassword(login: string, password: string): Promise<void> {
    await this.#enter(async (api) => void (await api.signIn(login, password)))
  }

  /** The first administrator, by the link that the server printed once. */
  async first(token: string, login: string, name: string, password: string): Promise<void> {
    await this.#enter(async (api) => {
      await api.signInFirst(token, login, name, password)
      forgetFirstToken()
    })
  }

  async #enter(prove: (api: SessionApi) => Promise<void>): Promise<void> {
    const api = this.#api
    if (!api) return
    const before = this.get()
    const out: Out = before.phase === 'out' ? before : OUT
    this.set({ ...out, busy: true, problem: null })
    try {
      await prove(api)
      this.set({ phase: 'in', me: features.me ? await api.me() : null })
    } catch (error) {
      this.set({ ...out, busy: false, problem: refusedBy(error) })
    }
  }

  /** The server told that rights, labels or policy have changed. */
  known(me: Me): void {
    if (this.get().phase === 'in') this.set({ phase: 'in', me })
  }

  async leave(everywhere = false): Promise<void> {
    this.stuck.set(null)
    if (this.#key) await this.onLeaving()
    else if (features.sessions) {
      const refused = await this.#signedOut(everywhere)
      if (refused) return this.stuck.set({ problem: refused, everywhere })
    }
    this.lost()
  }

  async #signedOut(everywhere: boolean): Promise<Refused | null> {
    try {
      await this.#api?.signOut(everywhere)
      return null
    } catch (error) {
      const refused = refusedBy(error)
      return refused.status === 401 ? null : refused // One was out already.
    }
  }

  /** An answer was 401, or the server ended the session. */
  lost = (): void => {
    this.#key = null
    this.#kept.removeItem(KEY)
    if (this.get().phase !== 'in') return
    this.set(OUT)
    if (features.sessions)
      void this.#api?.sessionOffer().then(
        (offer) => this.#offered(offer),
        () => {},
      )
  }

  #offered(offer: SessionOffer): void {
    const now = this.get()
    if (now.phase === 'out') this.set({ ...now, offer })
  }

  /** Unknown rights (a key, and a server without `/me`) are not denied here: the server refuses. */
  may(right: string): boolean {
    const session = this.get()
    return session.phase === 'in' && (session.me === null || session.me.rights.includes(right))
  }

  get supervises(): boolean {
    const modes: Mode[] = ['listen', 'whisper', 'barge', 'takeover']
    return modes.some((mode) => this.may(mode))
  }
}

/** A key without the right to see calls is a good key. */
async function mayBeRefused(asking: Promise<unknown>): Promise<void> {
  await asking.catch((error: unknown) => {
    if (refusedBy(error).status !== 403) throw error
  })
}
