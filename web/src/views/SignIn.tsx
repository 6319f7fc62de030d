// The sign-in page: name and password where the server has sessions, an API key otherwise or by choice.
import {
  Alert,
  Anchor,
  Button,
  Card,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useState, type FormEvent } from 'react'
import type { Refused } from '../api/client'
import { DemoRoles } from './Demo'
import { features } from '../api/features'
import type { Catalogue } from '../words/catalogue'
import { sayRefusal } from './say'
import { useApp, useStore, useWords } from './use'

export function SignIn() {
  const { session } = useApp()
  const words = useWords()
  const now = useStore(session)
  const [byKey, setByKey] = useState(!features.sessions)
  const token = new URLSearchParams(location.search).get('first')
  if (now.phase !== 'out') return null
  return (
    <main className="signin">
      <Card withBorder padding="lg" radius="md" className="signin-card">
        <Stack gap="md">
          <Title order={1} size="h3">
            {words.t('signin.title')}
          </Title>
          {now.problem ? (
            <Alert
              color="red"
              variant="light"
              icon={<IconAlertTriangle aria-hidden />}
              role="alert"
            >
              {said(words, now.problem, byKey)}
            </Alert>
          ) : null}
          {token ? (
            <First token={token} busy={now.busy} />
          ) : byKey ? (
            <ByKey busy={now.busy} />
          ) : (
            <ByPassword busy={now.busy} />
          )}
          {now.offer?.first_run && !token ? (
            <Text size="sm">{words.t('signin.first_run')}</Text>
          ) : null}
          {features.sessions && !token ? (
            <Anchor
              component="button"
              type="button"
              underline="always"
              onClick={() => setByKey(!byKey)}
            >
              {words.t(byKey ? 'signin.with_password' : 'signin.with_key')}
            </Anchor>
          ) : null}
          {now.offer?.demo && now.offer.demo.length > 0 ? (
            <DemoRoles roles={now.offer.demo} />
          ) : null}
        </Stack>
      </Card>
    </main>
  )
}

function said(words: Catalogue, problem: Refused, byKey: boolean): string {
  if (problem.code === 'unreachable') return words.t('signin.unreachable')
  return problem.status === 401 && byKey ? words.t('signin.bad_key') : sayRefusal(words, problem)
}

function ByKey({ busy }: { busy: boolean }) {
  const { session, preferences } = useApp()
  const words = useWords()
  const [key, setKey] = useState('')
  const [desk, setDesk] = useState(preferences.get().deskPhone)
  const send = (event: FormEvent) => {
    event.preventDefault()
    preferences.change({ deskPhone: desk.trim() })
    void session.withKey(key)
  }
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <PasswordInput
          label={words.t('signin.key')}
          description={words.t('signin.key_hint')}
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          autoComplete="off"
          required
          autoFocus
        />
        <TextInput
          label={words.t('signin.desk')}
          description={words.t('headset.uri_example')}
          value={desk}
          onChange={(event) => setDesk(event.currentTarget.value)}
          autoComplete="off"
        />
        <Button type="submit" loading={busy}>
          {words.t('signin.do')}
        </Button>
      </Stack>
    </form>
  )
}

function ByPassword({ busy }: { busy: boolean }) {
  const { session } = useApp()
  const words = useWords()
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const send = (event: FormEvent) => {
    event.preventDefault()
    void session.withPassword(login, password)
  }
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <TextInput
          label={words.t('signin.login')}
          value={login}
          onChange={(event) => setLogin(event.currentTarget.value)}
          autoComplete="username"
          required
          autoFocus
        />
        <PasswordInput
          label={words.t('signin.password')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          required
        />
        <Button type="submit" loading={busy}>
          {words.t('signin.do')}
        </Button>
      </Stack>
    </form>
  )
}

/** The first administrator: the link holds a token that works once. */
function First({ token, busy }: { token: string; busy: boolean }) {
  const { session } = useApp()
  const words = useWords()
  const [name, setName] = useState('')
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const send = (event: FormEvent) => {
    event.preventDefault()
    void session.first(token, login, name, password)
  }
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <Text>{words.t('signin.first')}</Text>
        <TextInput
          label={words.t('signin.your_name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="name"
          required
        />
        <TextInput
          label={words.t('signin.login')}
          value={login}
          onChange={(event) => setLogin(event.currentTarget.value)}
          autoComplete="username"
          required
        />
        <PasswordInput
          label={words.t('signin.password')}
          description={words.t('signin.password_rule')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="new-password"
          minLength={10}
          required
        />
        <Button type="submit" loading={busy}>
          {words.t('signin.first_do')}
        </Button>
      </Stack>
    </form>
  )
}
