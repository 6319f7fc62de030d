// What the organisation calls things: a preset and single words over it, for everybody's pages. Who may
// not change them sees them.
import { Button, Group, Select, Table, TextInput } from '@mantine/core'
import { useBlocker } from '@tanstack/react-router'
import { useState } from 'react'
import { refusedBy, type Refused } from '../../api/client'
import { labelsOf, merged, sameLabels, withWord } from '../../state/labels'
import { PRESETS, TERMS, wordsFor, type Preset } from '../../words/terms'
import { sayRefusal } from '../say'
import { useApp, useStore, useWords } from '../use'

export function WordsTab() {
  const app = useApp()
  const words = useWords()
  const session = useStore(app.session)
  const me = session.phase === 'in' ? session.me : null
  const now = labelsOf(me)
  const [draft, setDraft] = useState(now)
  // Another administrator may save meanwhile: theirs is kept, but for what was changed here.
  const [begun, setBegun] = useState(now)
  if (!sameLabels(begun, now)) {
    setBegun(now)
    setDraft(merged(begun, draft, now))
  }
  const [saving, setSaving] = useState(false)
  const [problem, setProblem] = useState<Refused | null>(null)
  const { language } = useStore(app.preferences)
  const may = me !== null && app.session.may('admin')
  const base = wordsFor(language, draft.preset)
  const changed = !sameLabels(draft, now)
  useBlocker({
    shouldBlockFn: () => changed && !window.confirm(words.t('words.leave')),
    enableBeforeUnload: () => changed,
  })

  async function save() {
    if (!me) return
    setSaving(true)
    setProblem(null)
    try {
      const labels = await app.api.putLabels(draft.preset, draft.words)
      app.session.known({ ...me, labels })
      const saved = labelsOf({ labels })
      setBegun(saved)
      setDraft(saved)
    } catch (error) {
      setProblem(refusedBy(error))
    }
    setSaving(false)
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <p>{words.t(may ? 'words.explain' : 'words.read_only')}</p>
      <Select
        label={words.t('top.labels')}
        maw={320}
        allowDeselect={false}
        disabled={!may}
        data={PRESETS.map((preset) => ({ value: preset, label: words.t(`preset.${preset}`) }))}
        value={draft.preset}
        onChange={(preset) => setDraft({ ...draft, preset: preset as Preset })}
      />
      <Table maw={640} mt="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{words.t('words.term')}</Table.Th>
            <Table.Th>{words.t('words.own')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {TERMS.map((term) => (
            <Table.Tr key={term}>
              <Table.Td>{words.t(`term.${term}`)}</Table.Td>
              <Table.Td>
                <TextInput
                  aria-label={`${words.t('words.own')}: ${words.t(`term.${term}`)}`}
                  placeholder={base[term]}
                  maxLength={40}
                  disabled={!may}
                  value={draft.words[term] ?? ''}
                  onChange={(event) => setDraft(withWord(draft, term, event.currentTarget.value))}
                />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {problem ? <p role="alert">{sayRefusal(words, problem)}</p> : null}
      {may ? (
        <Group mt="md" gap="sm">
          <Button type="submit" disabled={!changed} loading={saving}>
            {words.t('words.save')}
          </Button>
          <Button variant="default" onClick={() => setDraft({ ...draft, words: {} })}>
            {words.t('words.reset')}
          </Button>
          <span role="status">{changed ? words.t('words.unsaved') : ''}</span>
        </Group>
      ) : null}
    </form>
  )
}
