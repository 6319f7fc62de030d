// No page has this address.
import { Anchor, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useWords } from './use'

export function Missing() {
  const words = useWords()
  return (
    <Stack p="lg" gap="sm">
      <Text component="h1" fw={700}>
        {words.t('page.missing')}
      </Text>
      <Anchor component={Link} to="/" underline="always">
        {words.t('call.back')}
      </Anchor>
    </Stack>
  )
}
