// One's own password: the old one, the new one twice, and a sentence for each way in which it may be refused.
import { Alert, Button, PasswordInput, Stack } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import type { Refused } from '../api/client'
import { PasswordChange, SHORTEST, type Wish } from '../state/password'
import type { Catalogue } from '../words/catalogue'
import { sayRefusal } from './say'
import { PageTitle } from './PageTitle'
import { useApp, useStore, useWords } from './use'

const EMPTY: Wish = { old: '', fresh: '', again: '' }

export function PasswordPage() {
  const app = useApp()
  const words = useWords()
  const [change] = useState(() => new PasswordChange(app.api))
  const { phase, unfit, problem } = useStore(change)
  const [wish, setWish] = useState(EMPTY)
  const send = (event: FormEvent) => {
    event.preventDefault()
    void change.ask(wish).then(() => change.get().phase === 'done' && setWish(EMPTY))
  }
  const field = (name: keyof Wish) => ({
    label: words.t(`password.${name}`),
    value: wish[name],
    onChange: (event: { currentTarget: { value: string } }) =>
      setWish({ ...wish, [name]: event.currentTarget.value }),
    required: true,
    autoComplete: name === 'old' ? 'current-password' : 'new-password',
  })
  const trouble = unfit
    ? words.t(`password.${unfit}`, { n: SHORTEST })
    : problem
      ? said(words, problem)
      : null
  return (
    <div className="page">
      <PageTitle>{words.t('password.title')}</PageTitle>
      <p>{words.t('password.explain')}</p>
      <div aria-live="polite">
        {phase === 'done' ? <Alert color="green">{words.t('password.done')}</Alert> : null}
      </div>
      {trouble ? (
        <Alert color="red" role="alert" id="password-trouble">
          {trouble}
        </Alert>
      ) : null}
      <form onSubmit={send} aria-describedby={trouble ? 'password-trouble' : undefined}>
        <Stack gap="md" maw={440}>
          <PasswordInput {...field('old')} />
          <PasswordInput {...field('fresh')} description={words.t('signin.password_rule')} />
          <PasswordInput {...field('again')} />
          <Button type="submit" loading={phase === 'asking'}>
            {words.t('password.do')}
          </Button>
        </Stack>
      </form>
      <p>
        <Link to="/">{words.t('password.back')}</Link>
      </p>
    </div>
  )
}

/** Here a refused sign-in is the old password, and nothing else. */
function said(words: Catalogue, problem: Refused): string {
  return problem.code === 'bad_sign_in' ? words.t('password.wrong') : sayRefusal(words, problem)
}
