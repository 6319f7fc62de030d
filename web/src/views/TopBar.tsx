// Find, where one hears, and one's own settings.
import {
  Autocomplete,
  Button,
  Menu,
  useMantineColorScheme,
  type MantineColorScheme,
} from '@mantine/core'
import { IconHeadphones, IconSearch, IconUserCircle } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useRef, useState, type ReactNode } from 'react'
import { features } from '../api/features'
import type { App } from '../state/app'
import { search, type Found } from '../state/search'
import { LANGUAGES, type Language } from '../words/catalogue'
import type { Place } from '../words/pages'
import { PRESETS, type Preset } from '../words/terms'
import { useApp, useStore, useWords } from './use'

const LANGUAGE_NAMES = { en: 'English', de: 'Deutsch' } as const

export function TopBar() {
  const { session } = useApp()
  const words = useWords()
  useStore(session)
  return (
    <header className="top" aria-label={words.t('app.name')}>
      {session.may('see_wallboard') ? <Find /> : null}
      <span className="grow" />
      {session.supervises ? <Headset /> : null}
      <Mine />
    </header>
  )
}

function Find() {
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
