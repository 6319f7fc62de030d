// Where the page begins: state, providers, the router. Nothing is decided here.
import './mantine.css'
import './app.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { makeApp } from './state/app'
import { nameThisPage } from './state/tab'
import { makeRouter } from './views/router'
import { AppContext } from './views/use'
import { Look } from './views/Look'

const app = makeApp()
const queries = new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false } } })
const router = makeRouter(app)
// Another tab has chosen something.
addEventListener('storage', (event) => {
  if (event.key?.startsWith('undertone.preferences')) app.preferences.again()
})
// What one person was shown is not shown to the next.
app.session.watch(() => {
  if (app.session.get().phase === 'out') queries.clear()
})

async function begin(): Promise<void> {
  const asked = new URLSearchParams(location.search).get('lang')
  const speak = async () => {
    const { language } = app.preferences.get()
    const { preset, words } = app.labels()
    await app.words.use(asked === 'en-XB' ? 'en-XB' : language, preset, words)
  }
  await speak()
  app.preferences.watch(() => void speak())
  app.session.watch(() => void speak())
  const root = document.getElementById('root')
  if (!root) return
  createRoot(root).render(
    <AppContext value={app}>
      <QueryClientProvider client={queries}>
        <Look>
          <RouterProvider router={router} />
        </Look>
      </QueryClientProvider>
    </AppContext>,
  )
  // A copy of a tab has no session of its own to come back to.
  if (await nameThisPage(sessionStorage, navigator.locks)) app.panel.forgetKept()
  await app.session.begin(app.api, location.search)
}

void begin()
