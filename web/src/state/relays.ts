// The passwords of relays (TURN) end, and a relay that is in use asks for them again. So a connection is
// given others in good time; what runs by a relay just then changes to them by an ICE restart.
import type { IceServer } from '../api/types'

/** A request that fails is made again long before the old password ends. */
const AGAIN_MS = 60_000

/** When to ask for others; null: there are none. */
export const renewAfter = (servers: readonly Pick<IceServer, 'lasts_ms'>[]): number | null =>
  servers.length > 0 ? Math.min(...servers.map((one) => one.lasts_ms)) / 2 : null

/** Whether what is sent goes by a relay. */
export async function isRelayed(connection: Pick<RTCPeerConnection, 'getStats'>): Promise<boolean> {
  const all = new Map<string, Record<string, unknown>>()
  const stats = await connection.getStats()
  stats.forEach((one: Record<string, unknown>, id: string) => all.set(id, one))
  return [...all.values()].some((one) => {
    if (one['type'] !== 'transport') return false
    const pair = all.get(String(one['selectedCandidatePairId']))
    return all.get(String(pair?.['localCandidateId']))?.['candidateType'] === 'relay'
  })
}

export class Relays {
  readonly #ask: () => Promise<{ ice_servers: IceServer[] }>
  #timer: ReturnType<typeof setTimeout> | null = null
  #any = false

  constructor(ask: () => Promise<{ ice_servers: IceServer[] }>) {
    this.#ask = ask
  }

  /** `restart` moves a connection that goes by a relay; it is asked only of one that is still there. */
  keep(
    connection: RTCPeerConnection,
    servers: readonly IceServer[],
    restart: () => Promise<void>,
  ): void {
    this.stop()
    const after = renewAfter(servers)
    this.#any = after !== null
    if (after !== null) this.#in(after, connection, restart)
  }

  /** Before another try: a password may have ended while the page slept. */
  async refresh(connection: RTCPeerConnection): Promise<void> {
    if (this.#any) await this.#renew(connection).catch(() => null)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#any = false
  }

  #in(ms: number, connection: RTCPeerConnection, restart: () => Promise<void>): void {
    const timer = setTimeout(() => void this.#due(timer, connection, restart), ms)
    this.#timer = timer
  }

  async #due(
    timer: ReturnType<typeof setTimeout>,
    connection: RTCPeerConnection,
    restart: () => Promise<void>,
  ): Promise<void> {
    const next = await this.#renew(connection).catch(() => AGAIN_MS)
    if (this.#timer !== timer) return
    if (next !== null) this.#in(next, connection, restart)
    if (next !== AGAIN_MS && (await isRelayed(connection))) await restart().catch(() => {})
  }

  async #renew(connection: RTCPeerConnection): Promise<number | null> {
    const { ice_servers } = await this.#ask()
    connection.setConfiguration({ iceServers: ice_servers })
    return renewAfter(ice_servers)
  }
}
