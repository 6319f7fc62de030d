// Writes src/api/schema.ts (types) and src/api/operations.ts (which operations there are) from the
// OpenAPI document that the server's code makes. `--check` writes nothing and fails when they are stale.
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const at = (path) => new URL(path, import.meta.url)
const document = JSON.parse(readFileSync(at('../../crates/api/openapi.json'), 'utf8'))

const head = (what) =>
  `// Made by \`npm run types\` from crates/api/openapi.json. Do not edit: ${what}\n`
const schema =
  head('change the server and make it again.') +
  astToString(await openapiTS(document, { defaultNonNullable: false }))

const methods = ['get', 'post', 'put', 'patch', 'delete']
const names = Object.entries(document.paths).flatMap(([path, item]) =>
  methods.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`),
)
const operations =
  head('what the server does not have is absent on screen.') +
  `export const OPERATIONS: readonly string[] = [\n${names
    .sort()
    .map((n) => `  '${n}',`)
    .join('\n')}\n]\n`

let stale = false
for (const [name, text] of [
  ['schema', schema],
  ['operations', operations],
]) {
  const file = at(`../src/api/${name}.ts`)
  let old = ''
  try {
    old = readFileSync(file, 'utf8')
  } catch {}
  if (old === text) continue
  stale = true
  if (!process.argv.includes('--check')) writeFileSync(file, text)
}
if (stale && process.argv.includes('--check')) {
  console.error('web/src/api is stale: run `npm run types` in web/ and commit what it writes.')
  process.exit(1)
}
