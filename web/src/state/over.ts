// The call of one's own that is just over, until it is wrapped up or put aside. Knows no form.
import type { Call } from '../api/types'
import type { LiveBoard } from './board'
import { Store } from './store'

export class CallOver extends Store<Call | null> {
  readonly #board: LiveBoard
  readonly #me: () => string | null
  #own = new Map<string, Call>()

  constructor(board: LiveBoard, me: () => string | null) {
    super(null)
    this.#board = board
    this.#me = me
    board.watch(() => this.#look())
  }

  #look(): void {
    const me = this.#me()
    const { calls, loaded, error } = this.#board.get()
    if (!me || !loaded || error) return
    const over = [...this.#own.values()].filter((call) => !calls.has(call.id)).at(-1)
    // Of a call that one did not take there is nothing to say.
    const mine = ({ parties }: Call) =>
      parties.some((one) => one.role === 'agent' && one.person_id === me && one.connected)
    this.#own = new Map(
      [...calls.values()].filter(({ call }) => mine(call)).map(({ call }) => [call.id, call]),
    )
    if (over) this.set(over)
  }

  putAside(): void {
    this.set(null)
  }

  forget(): void {
    this.#own.clear()
    this.set(null)
  }
}
