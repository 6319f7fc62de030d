// What finds one's supervision again after a reload: what is kept of it in the tab, and how the server is asked for
// what it may still have. Knows nothing of the panel beyond where one hears, and decides nothing for it.
import { Refused, refusedBy, type Api } from '../api/client'
import type { Supervision } from '../api/types'
import type { HearOn } from './panel'

const KEPT = 'undertone.panel'
/** Between tries to be rid of, or to find again, what the server may still have. */
const AGAIN_MS = [500, 1_000, 2_000, 4_000, 8_000]

/** Enough to ask for it again. */
export interface Kept {
  id: string
  callId: string
  hearOn: HearOn
}

export class Keep {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

  constructor(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) {
    this.#storage = storage
  }

  write(kept: Kept): void {
    this.#storage.setItem(KEPT, JSON.stringify(kept))
  }

  /** A stream has ended with the page that read it. What cannot be read is forgotten. */
  read(): Kept | null {
    const kept = parsed(this.#storage.getItem(KEPT))
    if (kept && kept.hearOn.kind !== 'stream') return kept
    this.forget()
    return null
  }

  forget(): void {
    this.#storage.removeItem(KEPT)
  }
}

function parsed(text: string | null): Kept | null {
  try {
    return text === null ? null : (JSON.parse(text) as Kept)
  } catch {
    return null // Not ours, or of another version.
  }
}

/**
 * A server that does not answer may have it all the same: it is asked until it says, for as long as the wish
 * stands. `late`: it has not said at once.
 */
export async function sought(
  api: Pick<Api, 'supervision'>,
  id: string,
  stands: () => boolean,
  late: () => void,
): Promise<Supervision | null> {
  for (let n = 0; stands(); n++) {
    const found = await api.supervision(id).catch(refusedBy)
    if (!(found instanceof Refused)) return found
    if (isOver(found) || found.status === 401 || found.status === 403) return null
    if (n === 0 && stands()) late()
    await pause(AGAIN_MS[n] ?? 8_000)
  }
  return null
}

/** What nobody here wants any more is not left running over there. */
export async function discard(api: Pick<Api, 'leave'>, id: string): Promise<void> {
  for (let n = 0; n <= AGAIN_MS.length; n++) {
    const refusal = await api.leave(id).then(() => null, refusedBy)
    if (!refusal || isOver(refusal) || refusal.status === 401) return
    await pause(AGAIN_MS[n] ?? 0)
  }
}

/** The server has it no more. */
export const isOver = ({ status, code, reasons }: Refused) =>
  status === 404 || [code, ...reasons].some((one) => OVER.includes(one))
const OVER = ['no_such_supervision', 'no_such_call', 'call_ended']

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
