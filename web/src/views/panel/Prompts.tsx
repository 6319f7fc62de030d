// Written words to the coached agent, ready ones and one's own, and the agent's silent replies.
import { TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { refusedBy } from '../../api/client'
import type { Call, Supervision } from '../../api/types'
import { repliesTo } from '../../state/notes'
import { agentOf, shownName } from '../../state/people'
import { withPrompt } from '../../state/preferences'
import { sayRefusal } from '../say'
import { useApp, useStore, useWords } from '../use'

const READY = ['prompt.verify', 'prompt.callback', 'prompt.slower'] as const

export function Prompts({ call, mine }: { call: Call; mine: Supervision }) {
  const app = useApp()
  const words = useWords()
  const reply = repliesTo(useStore(app.notes), mine.id)[0]
  const kept = useStore(app.preferences).prompts
  // What came of the last one, and after which reply it was sent: the newer of the two is shown.
  const [said, setSaid] = useState<{ text: string; after: string | null } | null>(null)
  const name = shownName(agentOf(call)) || words.term('agent')
  const send = async (text: string): Promise<boolean> => {
    const after = reply?.id ?? null
    setSaid({ text: '', after })
    try {
      await app.api.prompt(mine.id, text)
      setSaid({ text: words.t('prompt.sent', { name, text }), after })
      return true
    } catch (error) {
      // A failure is newer than any reply.
      const now = repliesTo(app.notes.get(), mine.id)[0]?.id ?? null
      setSaid({ text: sayRefusal(words, refusedBy(error)), after: now })
      return false
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
      {kept.map((text) => (
        <span key={text} className="kept-prompt">
          <button type="button" className="plain-button" onClick={() => void send(text)}>
            {text}
          </button>
          <button
            type="button"
            className="plain-button"
            aria-label={words.t('prompt.forget', { text })}
            onClick={() => app.preferences.change({ prompts: kept.filter((one) => one !== text) })}
          >
            <IconX size={14} aria-hidden />
          </button>
        </span>
      ))}
      <Own name={name} send={send} />
      <span role="status" className="facts">
        {reply && !newer
          ? words.t('reply.from', { name: reply.from.name, reply: words.t(`reply.${reply.reply}`) })
          : said?.text}
      </span>
    </div>
  )
}

/** One's own words: sent once, or kept for the next time as well. */
function Own({ name, send }: { name: string; send(text: string): Promise<boolean> }) {
  const { preferences } = useApp()
  const words = useWords()
  const [own, setOwn] = useState<string | null>(null)
  if (own === null) {
    return (
      <button
        type="button"
        className="plain-button"
        aria-label={words.t('prompt.own')}
        title={words.t('prompt.own')}
        onClick={() => setOwn('')}
      >
        <IconPlus size={14} aria-hidden />
      </button>
    )
  }
  const text = own.trim()
  const keep = () => {
    const { prompts } = preferences.get()
    if (text !== '') preferences.change({ prompts: withPrompt(prompts, text) })
    setOwn(null)
  }
  return (
    <form
      className="own-prompt"
      onSubmit={(event) => {
        event.preventDefault()
        // What was refused is still there to be sent again.
        if (text !== '') void send(text).then((sent) => sent && setOwn(null))
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
      <button type="submit" className="plain-button">
        {words.t('prompt.send')}
      </button>
      <button type="button" className="plain-button" onClick={keep}>
        {words.t('prompt.keep')}
      </button>
    </form>
  )
}
