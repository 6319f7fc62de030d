import { formatter } from '@lingui/format-json'
import { defineConfig } from '@lingui/cli'

// Ids are names, not English text: `words/en.json` is itself one of the translations.
export default defineConfig({
  locales: ['en', 'de'],
  sourceLocale: 'en',
  catalogs: [{ path: 'src/words/{locale}', include: ['src'] }],
  format: formatter({ style: 'minimal' }),
})
