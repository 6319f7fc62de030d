// Written words to the coached agent, ready ones and one's own, and the agent's silent replies.
import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { refusedBy } from '../../api/client'
import type { Call, Supervision } from '../../api/types'
import { repliesTo } from '../../state/notes'
import { agentOf, shownName } from '../../state/people'
import { sayRefusal } from '../say'
import { useApp, useStore, useWords } from '../use'

const READY = ['prompt.verify', 'prompt.callback', 'prompt.slower'] as const

export function Prompts({ call, mine }: { call: Call; mine: Supervision }) {
  const app = useApp()
  const words = useWords()
  const reply = repliesTo(useStore(app.notes), mine.id)[0]
  const [own, setOwn] = useState<string | null>(null)
  // What came of the last one, and after which reply it was sent: the newer of the two is shown.
  const [said, setSaid] = useState<{ text: string; after: string | null } | null>(null)
  const name = shownName(agentOf(call)) || words.term('agent')
  const send = async (text: string) => {
    const after = reply?.id ?? null
    setSaid({ text: '', after })
    try {
      await app.api.prompt(mine.id, text)
      setSaid({ text: words.t('prompt.sent', { name, text }), after })
      setOwn(null)
    } catch (error) {
      // A failure is newer than any reply.
      const now = repliesTo(app.notes.get(), mine.id)[0]?.id ?? null
      setSaid({ text: sayRefusal(words, refusedBy(error)), after: now })
    }
  }
  const newer = said !== null && said.after === (reply?.id ?? null)
  return (
    <div className="prompts" role="group" aria-label={words.t('prompt.title', { name })}>
      {READY.map((id) => (
        <button
          key={id}
          type="button"
          className="plain-button"
          onClick={() => void send(words.t(id))}
        >
          {words.t(id)}
        </button>
      ))}
      {own === null ? (
        <button type="button" className="plain-button" onClick={() => setOwn('')}>
          {words.t('prompt.own')}
        </button>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (own.trim() !== '') void send(own.trim())
          }}
        >
          <TextInput
            size="xs"
            aria-label={words.t('prompt.title', { name })}
            maxLength={200}
            autoFocus
            value={own}
            onChange={(event) => setOwn(event.currentTarget.value)}
          />
        </form>
      )}
      <span role="status" className="facts">
        {reply && !newer
          ? words.t('reply.from', { name: reply.from.name, reply: words.t(`reply.${reply.reply}`) })
          : said?.text}
      </span>
    </div>
  )
}
