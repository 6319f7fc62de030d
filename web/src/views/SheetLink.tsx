// The same list as a sheet (CSV), by the same filters and rights. A link carries the session's cookie; who
// signs in by key asks the HTTP API.
import { Anchor } from '@mantine/core'
import { features } from '../api/features'
import { useApp, useWords } from './use'

export function SheetLink({ path, query }: { path: string; query: Record<string, string> }) {
  const app = useApp()
  const words = useWords()
  if (!features.sheets || app.session.credentials().key !== null) return null
  const asked = new URLSearchParams({ ...query, format: 'csv' })
  return (
    <p>
      <Anchor href={`/api/v1${path}?${asked.toString()}`} download>
        {words.t('sheet.download')}
      </Anchor>
    </p>
  )
}
