// After a call of one's own on which a supervisor helped: one question, asked once, while one has time for it.
// Knows what the board showed of the call; of whom one was not told there is no question.
import { refusedBy, type Api, type Refused } from '../api/client'
import type { Call, Useful } from '../api/types'
import type { LiveBoard } from './board'
import { Store } from './store'

export const ANSWERS: readonly Useful[] = ['yes', 'not_really', 'too_much']

export interface Question {
  callId: string
  supervisionId: string
  /** Who helped. */
  name: string
}

export interface WrapUp {
  /** The first is asked; the others wait. */
  questions: readonly Question[]
  thanked: boolean
  problem: Refused | null
}

const NOTHING: WrapUp = { questions: [], thanked: false, problem: null }
/** More than so many were forgotten long ago. */
const AT_MOST = 5

/** Everybody who spoke on the call, to the agent's knowledge, once. */
export function questionsOf(call: Call): Question[] {
  const spoke = call.supervisions.filter((one) => one.spans.some((span) => span.mode !== 'listen'))
  const last = new Map(spoke.map((one) => [one.supervisor.id, one]))
  return [...last.values()].map((one) => ({
    callId: call.id,
    supervisionId: one.id,
    name: one.supervisor.name,
  }))
}

export class WrapUps extends Store<WrapUp> {
  readonly #api: Pick<Api, 'feedback'>
  readonly #board: LiveBoard
  readonly #me: () => string | null
  #own = new Map<string, Call>()

  constructor(api: Pick<Api, 'feedback'>, board: LiveBoard, me: () => string | null) {
    super(NOTHING)
    this.#api = api
    this.#board = board
    this.#me = me
    board.watch(() => this.#look())
  }

  #look(): void {
    const me = this.#me()
    const { calls, loaded, error } = this.#board.get()
    if (!me || !loaded || error) return
    const mine = (call: Call) =>
      call.parties.some((party) => party.role === 'agent' && party.person_id === me)
    const over = [...this.#own.values()].filter((call) => !calls.has(call.id))
    this.#own = new Map(
      [...calls.values()].filter(({ call }) => mine(call)).map(({ call }) => [call.id, call]),
    )
    const fresh = over.flatMap(questionsOf)
    if (fresh.length === 0) return
    this.update((now) => ({
      questions: [...now.questions, ...fresh].slice(-AT_MOST),
      thanked: false,
      problem: null,
    }))
  }

  async answer(useful: Useful): Promise<void> {
    const [asked, ...rest] = this.get().questions
    if (!asked) return
    try {
      await this.#api.feedback(asked.callId, asked.supervisionId, useful)
      this.set({ questions: rest, thanked: true, problem: null })
    } catch (error) {
      this.update((now) => ({ ...now, problem: refusedBy(error) }))
    }
  }

  /** No answer is one, too. */
  skip(): void {
    this.update((now) => ({ questions: now.questions.slice(1), thanked: false, problem: null }))
  }

  forget(): void {
    this.#own.clear()
    this.set(NOTHING)
  }
}
