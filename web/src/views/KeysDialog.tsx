// The keys that have something to act on, for the person who looks: which they are, another one instead, or none.
import { Kbd, Modal, Stack, Switch, Table, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { features } from '../api/features'
import { choosable, keyOf, taken, type Act } from '../state/keys'
import type { Catalogue } from '../words/catalogue'
import { shownKey } from './say'
import { useApp, useStore, useWords } from './use'
import { pressOf } from './useKeys'

interface Row {
  act: Act
  does: string
}

/** What the person can do anything with. What does not exist has no key. */
function useRows(): { name: string; rows: Row[] }[] {
  const { session } = useApp()
  const words = useWords()
  useStore(session)
  const on = (mode: 'listen' | 'whisper' | 'barge') => ({
    act: mode,
    does: words.t('keys.mode', { mode: words.term(mode) }),
  })
  const board = session.may('see_wallboard')
  const page: Row[] = [
    ...(board ? [{ act: 'find' as const, does: words.t('keys.find') }] : []),
    { act: 'help', does: words.t('keys.help') },
    ...(session.supervises
      ? [{ act: 'panel' as const, does: words.t('keys.panel', { panel: words.term('panel') }) }]
      : []),
  ]
  const rows: Row[] = [
    { act: 'next', does: words.t('keys.next') },
    { act: 'previous', does: words.t('keys.previous') },
    ...(['listen', 'whisper', 'barge'] as const).filter((mode) => session.may(mode)).map(on),
  ]
  const panel: Row[] = [
    ...(session.may('takeover')
      ? [{ act: 'takeover' as const, does: words.t('keys.takeover') }]
      : []),
    { act: 'mute', does: words.t('keys.mute') },
    ...(features.marks ? [{ act: 'bookmark' as const, does: words.t('marks.bookmark') }] : []),
    ...(features.phone ? [{ act: 'talk' as const, does: words.t('keys.talk') }] : []),
    ...(session.may('barge') && session.may('whisper')
      ? [{ act: 'aside' as const, does: words.t('keys.aside', { mode: words.term('barge') }) }]
      : []),
    { act: 'quieter', does: words.t('keys.quieter') },
    { act: 'louder', does: words.t('keys.louder') },
  ]
  const own: Row[] = [
    ...(features.answer
      ? [
          { act: 'answer' as const, does: words.t('incoming.answer') },
          { act: 'decline' as const, does: words.t('incoming.decline') },
          { act: 'silence' as const, does: words.t('panel.mute') },
        ]
      : []),
    { act: 'hold', does: words.t('keys.hold') },
    { act: 'end', does: words.t('agent.end') },
    ...(features.help ? [{ act: 'hand' as const, does: words.t('hand.raise') }] : []),
  ]
  return [
    { name: words.t('keys.page'), rows: page },
    ...(board ? [{ name: words.term('live_calls'), rows }] : []),
    ...(session.supervises ? [{ name: words.term('panel'), rows: panel }] : []),
    { name: words.t('keys.own'), rows: own },
  ]
}

export function KeysDialog() {
  const { preferences, dialog, session } = useApp()
  const words = useWords()
  const { keys, keymap } = useStore(preferences)
  const groups = useRows()
  const [changing, setChanging] = useState<Act | null>(null)
  const [said, setSaid] = useState('')
  const all = groups.flatMap((group) => group.rows)
  const nameOf = (act: Act) => all.find((row) => row.act === act)?.does ?? act
  useEffect(() => {
    if (!changing) return
    const press = (event: KeyboardEvent) => {
      event.preventDefault()
      event.stopPropagation()
      if (event.key === 'Escape') return setChanging(null)
      const off = event.key === 'Delete' || event.key === 'Backspace'
      const key = off ? '' : choosable(pressOf(event))
      if (key === null) return
      const other = off ? null : taken(keymap, changing, key)
      if (other) return setSaid(words.t('keys.taken', { key, does: nameOf(other) }))
      preferences.change({ keymap: { ...keymap, [changing]: key } })
      setSaid('')
      setChanging(null)
    }
    window.addEventListener('keydown', press, true)
    return () => window.removeEventListener('keydown', press, true)
  })
  return (
    <Modal
      opened
      onClose={() => dialog.set({ kind: 'none' })}
      closeOnEscape={changing === null}
      title={words.t('keys.title')}
      closeButtonProps={{ 'aria-label': words.t('panel.close') }}
      lockScroll={false}
    >
      <Stack>
        <Switch
          label={words.t('keys.on')}
          checked={keys}
          onChange={(event) => preferences.change({ keys: event.currentTarget.checked })}
        />
        <p role="status" className="facts">
          {changing ? words.t('keys.press', { does: nameOf(changing) }) : null} {said}
        </p>
        <Table>
          {groups.map((group) => (
            <Table.Tbody key={group.name}>
              <Table.Tr>
                <Table.Th colSpan={3} scope="rowgroup">
                  {group.name}
                </Table.Th>
              </Table.Tr>
              {group.rows.map((row) => (
                <Table.Tr key={row.act}>
                  <Table.Td>
                    <Shown words={words} name={keyOf(keymap, row.act)} />
                  </Table.Td>
                  <Table.Td>{row.does}</Table.Td>
                  <Table.Td>
                    <button
                      type="button"
                      className="plain-button"
                      aria-pressed={changing === row.act}
                      aria-label={words.t('keys.change_named', { does: row.does })}
                      onClick={() => {
                        setSaid('')
                        setChanging(changing === row.act ? null : row.act)
                      }}
                    >
                      {words.t('keys.change')}
                    </button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          ))}
        </Table>
        <Fixed board={session.may('see_wallboard')} supervises={session.supervises} />
        <button
          type="button"
          className="plain-button"
          onClick={() => {
            preferences.change({ keymap: {} })
            setSaid(words.t('keys.as_delivered'))
          }}
        >
          {words.t('keys.reset')}
        </button>
        <Text size="sm" c="dimmed">
          {words.t('keys.note')}
        </Text>
      </Stack>
    </Modal>
  )
}

/** What follows `g`, and Esc: these stay as they are. */
function Fixed({ board, supervises }: { board: boolean; supervises: boolean }) {
  const { preferences } = useApp()
  const words = useWords()
  const go = keyOf(useStore(preferences).keymap, 'go') ?? ''
  const pages = [
    ['w', words.term('wallboard')],
    ['c', words.term('live_calls')],
    ['s', words.term('call_status')],
    ...(features.history ? [['h', words.t('nav.history')]] : []),
    ['a', words.t('nav.admin')],
  ] as const
  return (
    <ul className="legend">
      {board && go !== ''
        ? pages.map(([key, page]) => (
            <li key={key}>
              <Kbd>{go}</Kbd> <Kbd>{key}</Kbd> {words.t('keys.go', { page })}
            </li>
          ))
        : null}
      {supervises ? (
        <li>
          <Kbd>Esc</Kbd> {words.t('keys.escape')}
        </li>
      ) : null}
    </ul>
  )
}

function Shown({ words, name }: { words: Catalogue; name: string | null }) {
  if (name === null) return <span className="facts">{words.t('keys.off')}</span>
  // "+" itself is a key, too.
  const parts = name.split(/\+(?=.)/)
  return parts.map((part) => (
    <Kbd key={part} mr={4}>
      {shownKey(words, part)}
    </Kbd>
  ))
}
