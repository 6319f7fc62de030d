// No page has this address.
import { Anchor, Stack } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { PageTitle } from './PageTitle'
import { useWords } from './use'

export function Missing() {
  const words = useWords()
  return (
    <Stack p="lg" gap="sm">
      <PageTitle>{words.t('page.missing')}</PageTitle>
      <Anchor component={Link} to="/" underline="always">
        {words.t('call.back')}
      </Anchor>
    </Stack>
  )
}
