// Addresses and pages. What opens first is in the first load; the rest comes when it is asked for.
import {
  Outlet,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  useLocation,
} from '@tanstack/react-router'
import type { App } from '../state/app'
import { redirects } from '../words/pages'
import { features } from '../api/features'
import { CallStatusPage } from './CallStatus'
import { DemoPage } from './Demo'
import { Frame } from './Frame'
import { LiveCallsPage } from './LiveCalls'
import { historySearch } from './history-search'
import { Missing } from './Missing'
import { SignIn } from './SignIn'
import { useApp, useStore } from './use'
import { Wallboard } from './Wallboard'

const AgentConsole = lazyRouteComponent(() => import('./AgentConsole'), 'AgentConsole')

function Root() {
  const { session } = useApp()
  const { pathname } = useLocation()
  const { phase } = useStore(session)
  if (pathname === '/demo') return <Outlet />
  if (phase === 'unknown') return null
  if (phase === 'out') return <SignIn />
  return (
    <Frame>
      <Outlet />
    </Frame>
  )
}

/** Who sees no wallboard has calls of their own to see. */
function Home() {
  const { session } = useApp()
  useStore(session)
  return session.may('see_wallboard') ? <Wallboard /> : <AgentConsole />
}

export function makeRouter(_app: App) {
  const root = createRootRoute({ component: Root, notFoundComponent: Missing })
  const page = <P extends string>(path: P, component: () => React.ReactNode) =>
    createRoute({ getParentRoute: () => root, path, component })
  const call = createRoute({
    getParentRoute: () => root,
    path: '/calls/$callId',
    component: lazyRouteComponent(() => import('./CallPage'), 'CallPage'),
  })
  const history = createRoute({
    getParentRoute: () => root,
    path: '/history',
    validateSearch: historySearch,
    component: lazyRouteComponent(() => import('./History'), 'HistoryPage'),
  })
  const password = createRoute({
    getParentRoute: () => root,
    path: '/password',
    component: lazyRouteComponent(() => import('./Password'), 'PasswordPage'),
  })
  const admin = createRoute({
    getParentRoute: () => root,
    path: '/admin/$tab',
    component: lazyRouteComponent(() => import('./Admin'), 'AdminPage'),
  })
  const adminStart = createRoute({
    getParentRoute: () => root,
    path: '/admin',
    beforeLoad: () => {
      throw redirect({ to: '/admin/$tab', params: { tab: 'health' } })
    },
  })
  const moved = Object.entries(redirects()).map(([path, to]) =>
    createRoute({
      getParentRoute: () => root,
      path,
      beforeLoad: () => {
        throw redirect({ to: to as '/' })
      },
    }),
  )
  const tree = root.addChildren([
    page('/', Home),
    page('/console', () => <AgentConsole />),
    page('/demo', DemoPage),
    page('/live-calls', LiveCallsPage),
    page('/call-status', CallStatusPage),
    call,
    ...(features.history ? [history] : []),
    ...(features.password ? [password] : []),
    adminStart,
    admin,
    ...moved,
  ])
  return createRouter({ routeTree: tree, defaultPreload: 'intent' })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
