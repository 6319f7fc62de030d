// Written words between a supervisor and the coached agent: prompts there, replies back. Keeps what came
// while this page was open; knows no socket.
import { Store } from './store'

export const REPLIES = ['done', 'say_again', 'cannot', 'take_it'] as const
export type ReplyWord = (typeof REPLIES)[number]

interface Note {
  id: string
  call_id: string
  supervision_id: string
  from: { id: string; name: string }
  at: string
}
export type Prompt = Note & { text: string }
export type Reply = Note & { reply: ReplyWord }

export interface Written {
  prompts: readonly Prompt[]
  replies: readonly Reply[]
}

const NONE: Written = { prompts: [], replies: [] }
const KEPT = 20

const added = <T extends Note>(all: readonly T[], one: T): readonly T[] =>
  all.some((known) => known.id === one.id) ? all : [...all, one].slice(-KEPT)

export class Notes extends Store<Written> {
  constructor() {
    super(NONE)
  }

  prompt(one: Prompt): void {
    this.update((now) => ({ ...now, prompts: added(now.prompts, one) }))
  }

  reply(one: Reply): void {
    this.update((now) => ({ ...now, replies: added(now.replies, one) }))
  }

  forget(): void {
    this.set(NONE)
  }
}

/** The last prompt on this call of somebody who is still there. */
export const lastPrompt = (
  written: Written,
  call: string,
  gone: readonly string[] = [],
): Prompt | null =>
  written.prompts.findLast((one) => one.call_id === call && !gone.includes(one.supervision_id)) ??
  null

/** What the agents replied to this supervision, the newest first. */
export const repliesTo = (written: Written, supervision: string): Reply[] =>
  written.replies.filter((one) => one.supervision_id === supervision).reverse()
