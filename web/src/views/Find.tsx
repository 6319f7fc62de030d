// The find field: a page, a person, a call. Fetched when the page stands.
import { Autocomplete } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { features } from '../api/features'
import type { App } from '../state/app'
import { search, type Found } from '../state/search'
import type { Place } from '../words/pages'
import { useApp, useWords } from './use'

export function Find() {
  const app = useApp()
  const words = useWords()
  const navigate = useNavigate()
  const [what, setWhat] = useState('')
  /** As the board was when it was typed: what one is about to choose does not move. */
  const [found, setFound] = useState<Found[]>([])
  const picked = useRef<string | null>(null)
  const look = (typed: string) => {
    // Mantine puts the chosen title into the field after we were told of it.
    const text = typed === picked.current ? '' : typed
    picked.current = null
    setWhat(text)
    setFound(search(text, app.board.get(), words, (place) => has(app, place)))
  }
  const groups = (['page', 'call', 'person'] as const).map((kind) => ({
    group: words.t(kind === 'page' ? 'top.pages' : kind === 'call' ? 'top.calls' : 'top.people'),
    items: found.filter((one) => one.kind === kind).map((one) => one.title),
  }))
  const go = (one: Found | undefined) => {
    if (!one) return
    picked.current = one.title
    if (one.kind === 'page') void navigate({ to: one.to as '/' })
    else if (one.callId) void navigate({ to: '/calls/$callId', params: { callId: one.callId } })
    else void navigate({ to: '/call-status' })
  }
  return (
    <Autocomplete
      id="find"
      className="find"
      aria-label={words.t('top.find')}
      placeholder={words.t('top.find_key')}
      leftSection={<IconSearch size={16} aria-hidden />}
      data={groups.filter((group) => group.items.length > 0)}
      filter={({ options }) => options}
      value={what}
      onChange={look}
      onFocus={() => look(what)}
      onOptionSubmit={(title) => go(found.find((one) => one.title === title))}
      onKeyDown={(event) => {
        if (event.key === 'Escape') event.currentTarget.blur()
      }}
      comboboxProps={{ shadow: 'md' }}
      maxDropdownHeight={320}
    />
  )
}

const has = ({ session }: App, { to, right }: Place) =>
  (to !== '/history' || features.history) && (!right || session.may(right))
