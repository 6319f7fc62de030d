// Whether one could be called here: what the browser says of microphone, loudspeaker and network, before it matters.
// Facts, as far as a browser tells them; asks for nothing, so that nobody is asked for a permission by looking.
import { Store } from './store'

export type Tick = 'good' | 'ask' | 'bad' | 'unknown'

export interface Preflight {
  microphone: Tick
  speaker: Tick
  network: Tick
  /** Why the microphone is not good, where it is known. */
  because: 'insecure' | 'denied' | 'missing' | null
}

export interface Facts {
  /** Browsers give a microphone to pages with HTTPS, and to this machine. */
  secure: boolean
  permission: 'granted' | 'prompt' | 'denied' | null
  /** Kinds of the devices there are; null where the browser does not tell. */
  kinds: readonly string[] | null
  connected: boolean
}

export function preflight({ secure, permission, kinds, connected }: Facts): Preflight {
  const because = !secure
    ? 'insecure'
    : permission === 'denied'
      ? 'denied'
      : kinds !== null && !kinds.includes('audioinput')
        ? 'missing'
        : null
  const allowed = permission === 'granted' ? 'good' : 'ask'
  return {
    microphone: because ? 'bad' : allowed,
    // Not every browser lists what one hears with.
    speaker: kinds?.includes('audiooutput') ? 'good' : 'unknown',
    network: connected ? 'good' : 'bad',
    because,
  }
}

const UNKNOWN: Preflight = {
  microphone: 'unknown',
  speaker: 'unknown',
  network: 'unknown',
  because: null,
}

export class Preflights extends Store<Preflight> {
  readonly #facts: () => Promise<Facts>
  #turn = 0

  constructor(facts: () => Promise<Facts>) {
    super(UNKNOWN)
    this.#facts = facts
  }

  /** Looks again; of two looks the later one counts. */
  async look(): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    const facts = await this.#facts()
    if (turn === this.#turn) this.set(preflight(facts))
  }
}

/** What this browser says just now. */
export async function browserFacts(connected: boolean): Promise<Facts> {
  const asked = await navigator.permissions
    ?.query({ name: 'microphone' as PermissionName })
    .catch(() => null)
  const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => null)
  return {
    secure: window.isSecureContext,
    permission: asked?.state ?? null,
    kinds: devices?.map(({ kind }) => kind) ?? null,
    connected,
  }
}
