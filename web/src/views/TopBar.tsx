// Find, where one hears, and one's own settings.
import { Button, Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import { IconHeadphones, IconUserCircle } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { Suspense, lazy, type ReactNode } from 'react'
import { features } from '../api/features'
import { LANGUAGES, type Language } from '../words/catalogue'
import { PRESETS, type Preset } from '../words/terms'
import { useApp, useStore, useWords } from './use'

const Find = lazy(() => import('./Find').then((all) => ({ default: all.Find })))

const LANGUAGE_NAMES = { en: 'English', de: 'Deutsch' } as const

export function TopBar() {
  const { session } = useApp()
  const words = useWords()
  useStore(session)
  return (
    <header className="top" aria-label={words.t('app.name')}>
      {session.may('see_wallboard') ? (
        <Suspense fallback={<span className="find" />}>
          <Find />
        </Suspense>
      ) : null}
      <span className="grow" />
      {session.supervises ? <Headset /> : null}
      <Mine />
    </header>
  )
}

function Headset() {
  const app = useApp()
  const words = useWords()
  const { hearOn, headset } = useStore(app.preferences)
  useStore(app.session)
  const device = app.devices()[0]
  const text =
    device && hearOn === 'desk'
      ? words.t('headset.desk', { name: device.name })
      : words.t(headset ? 'headset.ready' : features.phone ? 'headset.none' : 'headset.browser')
  return (
    <Button
      variant="default"
      size="compact-sm"
      leftSection={<IconHeadphones size={16} aria-hidden />}
      onClick={() => app.dialog.set({ kind: 'headset' })}
    >
      {text}
    </Button>
  )
}

function Mine() {
  const app = useApp()
  const words = useWords()
  const session = useStore(app.session)
  const mine = useStore(app.preferences)
  const scheme = useMantineColorScheme()
  const name = session.phase === 'in' && session.me ? session.me.person.name : words.t('top.me')
  const choose = app.preferences
  return (
    <Menu position="bottom-end" width={260} shadow="md">
      <Menu.Target>
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconUserCircle size={16} aria-hidden />}
          aria-label={words.t('top.menu', { name })}
        >
          {name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Group name={words.t('top.theme')}>
          <Menu.RadioGroup
            value={scheme.colorScheme}
            onChange={(one) => scheme.setColorScheme(one as MantineColorScheme)}
          >
            {(['auto', 'light', 'dark'] as const).map((one) => (
              <Menu.RadioItem key={one} value={one}>
                {words.t(`theme.${one}`)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Group>
        <Group name={words.t('top.density')}>
          <Menu.RadioGroup
            value={mine.density}
            onChange={(density) =>
              choose.change({ density: density === 'compact' ? 'compact' : 'comfortable' })
            }
          >
            {(['comfortable', 'compact'] as const).map((density) => (
              <Menu.RadioItem key={density} value={density}>
                {words.t(`density.${density}`)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Group>
        <Group name={words.t('top.language')}>
          <Menu.RadioGroup
            value={mine.language}
            onChange={(language) => choose.change({ language: language as Language })}
          >
            {LANGUAGES.map((language) => (
              <Menu.RadioItem key={language} value={language} lang={language}>
                {LANGUAGE_NAMES[language]}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Group>
        <Group name={words.t('top.labels')}>
          <Menu.RadioGroup
            value={mine.preset ?? ''}
            onChange={(preset) => choose.change({ preset: (preset as Preset) || null })}
          >
            <Menu.RadioItem value="">{words.t('preset.organisation')}</Menu.RadioItem>
            {PRESETS.map((preset) => (
              <Menu.RadioItem key={preset} value={preset}>
                {words.t(`preset.${preset}`)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Group>
        <Menu.Divider />
        <Menu.Item closeMenuOnClick onClick={() => app.dialog.set({ kind: 'keys' })}>
          {words.t('top.keys')}
        </Menu.Item>
        <Menu.CheckboxItem
          checked={mine.tv}
          closeMenuOnClick
          onChange={(tv) => choose.change({ tv })}
        >
          {words.t('top.tv')}
        </Menu.CheckboxItem>
        <Menu.Item closeMenuOnClick onClick={() => void app.session.leave()}>
          {words.t('top.sign_out')}
        </Menu.Item>
        {features.password && app.session.credentials().key === null ? (
          <Menu.Item closeMenuOnClick component={Link} to="/password">
            {words.t('top.password')}
          </Menu.Item>
        ) : null}
        {app.session.credentials().key === null ? (
          <Menu.Item closeMenuOnClick onClick={() => void app.session.leave(true)}>
            {words.t('top.sign_out_everywhere')}
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  )
}

/** Choices of which one holds, named for those who do not see the line above them. */
function Group({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div role="group" aria-label={name}>
      <Menu.Label aria-hidden>{name}</Menu.Label>
      {children}
    </div>
  )
}
