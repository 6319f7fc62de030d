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
import { useState, type FormEvent, type ReactNode } from 'react'
import type { Refused } from '../api/client'
import { DemoRoles } from './Demo'
import { features } from '../api/features'
import { firstToken } from '../state/first'
import type { Catalogue } from '../words/catalogue'
import { sayRefusal } from './say'
import { useApp, useStore, useWords } from './use'

export function SignIn() {
  const { session } = useApp()
  const words = useWords()
  const now = useStore(session)
  const [byKey, setByKey] = useState(!features.sessions)
  const token = firstToken()
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

interface FormProps {
  busy: boolean
  /** What the button says. */
  does: string
  onSend: () => void
  children: ReactNode
}

function Form({ busy, does, onSend, children }: FormProps) {
  const send = (event: FormEvent) => {
    event.preventDefault()
    onSend()
  }
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        {children}
        <Button type="submit" loading={busy}>
          {does}
        </Button>
      </Stack>
    </form>
  )
}

/** A field that holds a text, and says so when it changes. */
const bound = (value: string, set: (value: string) => void) => ({
  value,
  onChange: (event: { currentTarget: { value: string } }) => set(event.currentTarget.value),
})

function ByKey({ busy }: { busy: boolean }) {
  const { session, preferences } = useApp()
  const words = useWords()
  const [key, setKey] = useState('')
  const [desk, setDesk] = useState(preferences.get().deskPhone)
  const send = () => {
    preferences.change({ deskPhone: desk.trim() })
    void session.withKey(key)
  }
  return (
    <Form busy={busy} does={words.t('signin.do')} onSend={send}>
      <PasswordInput
        {...bound(key, setKey)}
        label={words.t('signin.key')}
        description={words.t('signin.key_hint')}
        autoComplete="off"
        required
        autoFocus
      />
      <TextInput
        {...bound(desk, setDesk)}
        label={words.t('signin.desk')}
        description={words.t('headset.uri_example')}
        autoComplete="off"
      />
    </Form>
  )
}

function ByPassword({ busy }: { busy: boolean }) {
  const { session } = useApp()
  const words = useWords()
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const send = () => void session.withPassword(login, password)
  return (
    <Form busy={busy} does={words.t('signin.do')} onSend={send}>
      <Login login={login} onLogin={setLogin} first />
      <PasswordInput
        {...bound(password, setPassword)}
        label={words.t('signin.password')}
        autoComplete="current-password"
        required
      />
    </Form>
  )
}

interface LoginProps {
  login: string
  onLogin: (login: string) => void
  first?: boolean
}

function Login({ login, onLogin, first = false }: LoginProps) {
  const words = useWords()
  return (
    <TextInput
      {...bound(login, onLogin)}
      label={words.t('signin.login')}
      autoComplete="username"
      required
      autoFocus={first}
    />
  )
}

/** The first administrator: the link holds a token that works once. */
function First({ token, busy }: { token: string; busy: boolean }) {
  const { session } = useApp()
  const words = useWords()
  const [name, setName] = useState('')
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const send = () => void session.first(token, login, name, password)
  return (
    <Form busy={busy} does={words.t('signin.first_do')} onSend={send}>
      <Text>{words.t('signin.first')}</Text>
      <TextInput
        {...bound(name, setName)}
        label={words.t('signin.your_name')}
        autoComplete="name"
        required
      />
      <Login login={login} onLogin={setLogin} />
      <PasswordInput
        {...bound(password, setPassword)}
        label={words.t('signin.password')}
        description={words.t('signin.password_rule')}
        autoComplete="new-password"
        minLength={10}
        required
      />
    </Form>
  )
}
