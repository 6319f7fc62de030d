// A change of one's own password: what can be known wrong before it is asked, and what the server said.
// Holds no password longer than the asking takes.
import { refusedBy, type Api, type Refused } from '../api/client'
import { Store } from './store'

/** As the server has it; it has the last word. */
export const SHORTEST = 10
export const LONGEST = 200

export type Unfit = 'too_short' | 'too_long' | 'not_the_same' | 'as_before'

export interface Change {
  phase: 'idle' | 'asking' | 'done'
  /** Known before anything was sent. */
  unfit: Unfit | null
  problem: Refused | null
}

const IDLE: Change = { phase: 'idle', unfit: null, problem: null }

export interface Wish {
  old: string
  fresh: string
  again: string
}

/** Characters as a person counts them. */
const length = (text: string) => [...text].length

export function unfit({ old, fresh, again }: Wish): Unfit | null {
  if (length(fresh) < SHORTEST) return 'too_short'
  if (length(fresh) > LONGEST) return 'too_long'
  if (fresh !== again) return 'not_the_same'
  return fresh === old ? 'as_before' : null
}

export class PasswordChange extends Store<Change> {
  readonly #api: Pick<Api, 'changePassword'>

  constructor(api: Pick<Api, 'changePassword'>) {
    super(IDLE)
    this.#api = api
  }

  async ask(wish: Wish): Promise<void> {
    if (this.get().phase === 'asking') return
    const known = unfit(wish)
    if (known) return this.set({ phase: 'idle', unfit: known, problem: null })
    this.set({ phase: 'asking', unfit: null, problem: null })
    try {
      await this.#api.changePassword(wish.old, wish.fresh)
      this.set({ phase: 'done', unfit: null, problem: null })
    } catch (error) {
      this.set({ phase: 'idle', unfit: null, problem: refusedBy(error) })
    }
  }
}
