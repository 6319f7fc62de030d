// What a supervisor wrote to the agent, and the four silent answers: a key, and nothing said aloud.
import { useEffect, useState } from 'react'
import { features } from '../api/features'
import { refusedBy } from '../api/client'
import type { Call } from '../api/types'
import { lastPrompt, REPLIES, type ReplyWord } from '../state/notes'
import { running } from '../state/people'
import { sayRefusal } from './say'
import { useApp, useStore, useWords } from './use'

interface Props {
  call: Call
  me: string
  /** The keys mean this call: of several the first. */
  keyed: boolean
}

export function Replies({ call, me, keyed }: Props) {
  const app = useApp()
  const words = useWords()
  /** Whoever was found to have left: nobody reads an answer there. */
  const [left, setLeft] = useState<string | null>(null)
  const ended = call.supervisions.filter((one) => !running(call).includes(one)).map(({ id }) => id)
  const gone = left === null ? ended : [...ended, left]
  const prompt = lastPrompt(useStore(app.notes), call.id, gone)
  const [said, setSaid] = useState<string | null>(null)
  const coach = running(call).find((one) => one.mode === 'whisper' && one.targets.includes(me))
  const to = prompt?.supervision_id ?? coach?.id ?? null
  useEffect(() => setSaid(null), [to, prompt?.id])
  useEffect(() => {
    if (!to || !features.replies || !keyed) return
    const press = (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || app.dialog.get().kind !== 'none') return
      if (!app.preferences.get().keys || event.ctrlKey || event.altKey || event.metaKey) return
      if (event.target instanceof HTMLElement && event.target.matches('input, textarea, select'))
        return
      const reply = REPLIES[Number(event.key) - 1]
      if (reply) void send(reply)
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  })
  const send = async (reply: ReplyWord) => {
    if (!to) return
    try {
      await app.api.reply(to, reply)
      setSaid(words.t('reply.sent', { reply: words.t(`reply.${reply}`) }))
    } catch (error) {
      const refused = refusedBy(error)
      if (refused.status === 404) setLeft(to)
      setSaid(sayRefusal(words, refused))
    }
  }
  return (
    <>
      {prompt ? (
        <p className="prompt" role="status">
          {words.t('prompt.says', { name: prompt.from.name, text: prompt.text })}
        </p>
      ) : null}
      {to && features.replies ? (
        <div className="replies" role="group" aria-label={words.t('reply.title')}>
          {REPLIES.map((reply, n) => (
            <button
              key={reply}
              type="button"
              className="plain-button"
              onClick={() => void send(reply)}
            >
              <kbd>{n + 1}</kbd> {words.t(`reply.${reply}`)}
            </button>
          ))}
          <span role="status">{said ?? ''}</span>
        </div>
      ) : null}
    </>
  )
}
