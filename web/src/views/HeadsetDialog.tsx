// Where one hears and speaks: this browser, with its ten-second check, or one's desk phone.
import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { features } from '../api/features'
import { Checking } from './HeadsetCheck'
import { useApp, useStore, useWords } from './use'

export function HeadsetDialog() {
  const app = useApp()
  const words = useWords()
  const close = () => app.dialog.set({ kind: 'none' })
  const mine = useStore(app.preferences)
  const known = app.session.get()
  const fromServer = known.phase === 'in' && known.me !== null
  const [desk, setDesk] = useState(mine.deskPhone)
  const [hearOn, setHearOn] = useState(mine.hearOn)
  // A running session stays where it is: the others on the call would hear it come and go.
  const { phase, hearOn: now } = useStore(app.panel)
  const later = phase === 'live' && (now.kind === 'sip') !== (hearOn === 'desk')
  const save = () => {
    app.preferences.change({ deskPhone: desk.trim(), hearOn })
    close()
  }
  return (
    <Modal
      opened
      onClose={close}
      title={words.t('headset.title')}
      closeButtonProps={{ 'aria-label': words.t('panel.close') }}
      lockScroll={false}
    >
      <Stack>
        <Text size="sm">
          {words.t(features.phone ? 'headset.explain_phone' : 'headset.explain')}
        </Text>
        {fromServer ? null : (
          <TextInput
            label={words.t('headset.uri')}
            description={words.t('headset.uri_example')}
            value={desk}
            onChange={(event) => setDesk(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <Radio.Group
          label={words.t('headset.hear_on')}
          value={hearOn}
          onChange={(value) => setHearOn(value === 'desk' ? 'desk' : 'browser')}
        >
          <Stack gap="xs" mt="xs">
            <Radio
              value="browser"
              label={words.t(
                features.phone ? 'headset.this_browser' : 'headset.this_browser_listen',
              )}
            />
            <Radio
              value="desk"
              label={words.t('headset.my_desk_phone')}
              disabled={fromServer ? app.devices().length === 0 : desk.trim() === ''}
            />
          </Stack>
        </Radio.Group>
        {later ? <Text role="status">{words.t('headset.later')}</Text> : null}
        {features.phone && hearOn === 'browser' ? <Checking /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {words.t('take.cancel')}
          </Button>
          <Button onClick={save}>{words.t('headset.save')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}
