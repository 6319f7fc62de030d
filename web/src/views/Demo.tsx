// The demo's ready sign-ins, a button a role. Each opens under a host name of its own, because ports do not
// keep cookies apart. The server tells them to this machine only, and outside the demo to nobody.
import type { DemoRole } from '../api/types'
import { Button, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { features } from '../api/features'
import { Missing } from './Missing'
import { useApp, useWords } from './use'

export function DemoRoles({ roles }: { roles: DemoRole[] }) {
  const words = useWords()
  return (
    <Stack gap="xs">
      <Text fw={600} component="h2">
        {words.t('signin.demo')}
      </Text>
      {roles.map((role) => (
        <Button
          key={role.login}
          component="a"
          variant="default"
          href={`${location.protocol}//${role.host}/?as=${encodeURIComponent(role.login)}`}
          target={`undertone-${role.login}`}
        >
          <span className="first-upper">{words.t(`demo.${role.role}`, { name: role.name })}</span>
        </Button>
      ))}
      <Text size="sm" c="dimmed">
        {words.t('signin.demo_note')}
      </Text>
    </Stack>
  )
}

export function DemoPage() {
  const { api } = useApp()
  const words = useWords()
  const offer = useQuery({
    queryKey: ['session-offer'],
    queryFn: api.sessionOffer,
    enabled: features.sessions,
    retry: false,
  })
  if (!offer.data?.demo) return offer.isLoading ? null : <Missing />
  return (
    <main className="signin">
      <div className="pane signin-card">
        <h1>{words.t('demo.title')}</h1>
        <p className="demo-about">{words.t('demo.about')}</p>
        <DemoRoles roles={offer.data.demo} />
      </div>
    </main>
  )
}
