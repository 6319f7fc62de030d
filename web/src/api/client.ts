// The only place that talks to the server by HTTP. Every refusal becomes a `Refused` with the server's
// code and reasons; nothing here decides anything or keeps anything.
import createClient from 'openapi-fetch'
import type { paths } from './schema'
import type {
  Health,
  Heard,
  Help,
  Abilities,
  Agent,
  AgentActionWord,
  AgentAfter,
  AuditList,
  Call,
  IceServer,
  Labels,
  LegWanted,
  Me,
  Mode,
  Phone,
  SessionOffer,
  Supervision,
  HeardBefore,
  Mark,
  MarkWord,
  Outcome,
  OutcomeAsked,
  Useful,
} from './types'

/** An answer that says no, or none at all (`code: 'unreachable'`). */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  readonly reasons: string[]
  constructor(status: number, code: string, reasons: string[], detail: string) {
    super(detail)
    this.name = 'Refused'
    this.status = status
    this.code = code
    this.reasons = reasons
  }
}

export function refusedBy(error: unknown): Refused {
  if (error instanceof Refused) return error
  const detail = error instanceof Error ? error.message : String(error)
  return new Refused(0, 'unreachable', [], detail)
}

/** With what requests are signed: an API key, or the token that goes with the session's cookie. */
export interface Credentials {
  key?: string | null
  csrf?: string | null
}

export interface Start {
  mode: Mode
  leg: LegWanted
  targets?: string[]
  alert?: boolean
  reason?: string
  agent_after?: AgentAfter
}

export interface Change {
  mode?: Mode
  targets?: string[]
  alert?: boolean
  muted?: boolean
  agent_after?: AgentAfter
}

export interface AuditQuery {
  call?: string
  person?: string
  cursor?: string
  limit?: number
}

/** A live stream: the sound is the body. */
export interface Stream {
  supervisionId: string
  body: ReadableStream<Uint8Array>
}

interface Answered<T> {
  data?: T
  error?: unknown
  response: Response
}

async function problemOf(response: Response, body: unknown): Promise<Refused> {
  const problem = (body ?? {}) as { code?: string; reasons?: string[]; detail?: string }
  const detail = problem.detail ?? `${response.status} ${response.statusText}`
  return new Refused(response.status, problem.code ?? 'internal', problem.reasons ?? [], detail)
}

async function taken<T>(asking: Promise<Answered<T>>): Promise<{ data: T; response: Response }> {
  const { data, error, response } = await asking.catch((e: unknown) => Promise.reject(refusedBy(e)))
  if (!response.ok) throw await problemOf(response, error)
  return { data: data as T, response }
}

const SOON_MS = 15_000
/** A telephone may ring for 40 s before the server gives up. */
const RINGS_MS = 60_000
/** Answered when the two talk. */
const TALKS_MS = 120_000

/** How long one waits for an answer before one says that there is none. */
export function patience(method: string, path: string): number {
  if (method !== 'POST') return SOON_MS
  if (path.endsWith('/transfer') || path === '/api/v1/calls') return TALKS_MS
  return path.endsWith('/supervisions') ? RINGS_MS : SOON_MS
}

export function makeApi(credentials: () => Credentials, onSignedOut: () => void = () => {}) {
  const signed = (headers: Headers, method: string) => {
    const { key, csrf } = credentials()
    if (key) headers.set('Authorization', `Bearer ${key}`)
    else if (csrf && method !== 'GET') headers.set('X-Undertone-Csrf', csrf)
  }
  const client = createClient<paths>({
    baseUrl: '',
    fetch: (request) => {
      const late = AbortSignal.timeout(patience(request.method, new URL(request.url).pathname))
      return globalThis.fetch(request, { signal: AbortSignal.any([request.signal, late]) })
    },
  })
  client.use({
    onRequest: ({ request }) => signed(request.headers, request.method),
    onResponse: ({ response }) => {
      if (response.status === 401) onSignedOut()
    },
  })

  /** A request whose answer is taken at its word. */
  const plain = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers = new Headers(body === undefined ? {} : { 'Content-Type': 'application/json' })
    signed(headers, method)
    const sent = body === undefined ? null : JSON.stringify(body)
    const response = await globalThis
      .fetch(`/api/v1${path}`, {
        method,
        headers,
        body: sent,
        signal: AbortSignal.timeout(patience(method, `/api/v1${path}`)),
      })
      .catch((e: unknown) => Promise.reject(refusedBy(e)))
    const json: unknown = response.status === 204 ? null : await response.json().catch(() => null)
    if (!response.ok) {
      const problem = await problemOf(response, json)
      // A password that is not right ends no session.
      if (response.status === 401 && problem.code !== 'bad_sign_in') onSignedOut()
      throw problem
    }
    return json as T
  }

  const once = () => ({ 'Idempotency-Key': crypto.randomUUID() })
  const id = (value: string) => ({ params: { path: { id: value } } })

  return {
    async calls(signal?: AbortSignal) {
      const { data, response } = await taken(
        client.GET('/api/v1/calls', { signal: signal ?? null }),
      )
      return { items: data.items as Call[], date: response.headers.get('date') }
    },
    async agents(signal?: AbortSignal): Promise<Agent[]> {
      return (await taken(client.GET('/api/v1/agents', { signal: signal ?? null }))).data.items
    },
    async call(call: string): Promise<Call> {
      return (await taken(client.GET('/api/v1/calls/{id}', id(call)))).data
    },
    /** Who heard whom, from instant to instant. */
    async heard(call: string): Promise<Heard[]> {
      return (await taken(client.GET('/api/v1/calls/{id}/heard', id(call)))).data.items
    },
    async abilities(call: string): Promise<Abilities> {
      return (await taken(client.GET('/api/v1/calls/{id}/abilities', id(call)))).data
    },
    async supervise(call: string, start: Start): Promise<Supervision> {
      const params = { path: { id: call }, header: once() }
      const asking = client.POST('/api/v1/calls/{id}/supervisions', {
        params,
        body: start as never,
      })
      return (await taken(asking as Promise<Answered<Supervision>>)).data
    },
    async supervision(supervision: string): Promise<Supervision> {
      return (await taken(client.GET('/api/v1/supervisions/{id}', id(supervision)))).data
    },
    async change(supervision: string, change: Change): Promise<Supervision> {
      const asking = client.PATCH('/api/v1/supervisions/{id}', { ...id(supervision), body: change })
      return (await taken(asking)).data
    },
    async leave(supervision: string): Promise<void> {
      await taken(client.DELETE('/api/v1/supervisions/{id}', id(supervision)))
    },
    async agentAction(supervision: string, action: AgentActionWord): Promise<Supervision> {
      const asking = client.POST('/api/v1/supervisions/{id}/agent', {
        ...id(supervision),
        body: { action },
      })
      return (await taken(asking)).data
    },
    async hold(call: string): Promise<Call> {
      return (await taken(client.POST('/api/v1/calls/{id}/hold', { ...id(call), body: {} }))).data
    },
    async resume(call: string): Promise<Call> {
      return (await taken(client.POST('/api/v1/calls/{id}/resume', { ...id(call), body: {} }))).data
    },
    async transfer(call: string, to: string): Promise<Call> {
      const asking = client.POST('/api/v1/calls/{id}/transfer', { ...id(call), body: { to } })
      return (await taken(asking)).data
    },
    async answer(call: string): Promise<Call> {
      return (await taken(client.POST('/api/v1/calls/{id}/answer', id(call)))).data
    },
    async decline(call: string): Promise<void> {
      await taken(client.POST('/api/v1/calls/{id}/decline', id(call)))
    },
    async hangUp(call: string): Promise<void> {
      await taken(client.DELETE('/api/v1/calls/{id}', id(call)))
    },
    async audit(query: AuditQuery): Promise<AuditList> {
      const asking = client.GET('/api/v1/audit', { params: { query: query as never } })
      return (await taken(asking)).data as AuditList // CSV is for others, and not asked for here.
    },
    async ready(): Promise<boolean> {
      return (await globalThis.fetch('/readyz')).ok
    },
    /** Listen in this browser: the answer's body is the call's sound. */
    async stream(call: string, alert: boolean, signal: AbortSignal): Promise<Stream> {
      const headers = new Headers({ 'Content-Type': 'application/json', Accept: 'audio/wav' })
      signed(headers, 'POST')
      const body = JSON.stringify({ mode: 'listen', leg: { kind: 'stream' }, alert })
      const path = `/api/v1/calls/${encodeURIComponent(call)}/supervisions`
      const response = await globalThis
        .fetch(path, { method: 'POST', headers, body, signal })
        .catch((e: unknown) => Promise.reject(refusedBy(e)))
      if (!response.ok) throw await problemOf(response, await response.json().catch(() => null))
      const supervisionId = response.headers.get('undertone-supervision')
      if (!supervisionId || !response.body) throw new Refused(502, 'media_failed', [], 'no sound')
      return { supervisionId, body: response.body }
    },
    /** In the demo: what this party's telephone hears. */
    async ear(call: string, party: string, signal: AbortSignal) {
      const headers = new Headers({ Accept: 'audio/wav' })
      signed(headers, 'GET')
      const path = `/api/v1/demo/calls/${encodeURIComponent(call)}/ears/${encodeURIComponent(party)}`
      const response = await globalThis
        .fetch(path, { headers, signal })
        .catch((e: unknown) => Promise.reject(refusedBy(e)))
      if (!response.ok) throw await problemOf(response, await response.json().catch(() => null))
      if (!response.body) throw new Refused(502, 'media_failed', [], 'no sound')
      return response.body
    },
    // Below: answers that the rest of the app takes in narrower shapes than the OpenAPI gives (`types.ts`).
    sessionOffer: () => plain<SessionOffer>('GET', '/session'),
    signIn: (login: string, password: string) => plain<Me>('POST', '/session', { login, password }),
    signInFirst: (token: string, login: string, name: string, password: string) =>
      plain<Me>('POST', '/session/first', { token, login, name, password }),
    signOut: (everywhere: boolean) =>
      plain<null>('DELETE', `/session${everywhere ? '?everywhere=true' : ''}`),
    me: () => plain<Me>('GET', '/me'),
    changePassword: (old: string, fresh: string) =>
      plain<null>('PUT', '/me/password', { old, new: fresh }),
    phoneOffer: (sdp: string, tab: string, here: boolean) =>
      plain<Phone & { sdp: string }>('POST', '/me/phone', { sdp, tab, here }),
    ice: () => plain<{ ice_servers: IceServer[] }>('GET', '/me/ice'),
    /** As this page sees it: another may have it. */
    phone: (tab = '') =>
      plain<Phone>('GET', `/me/phone?${new URLSearchParams({ tab }).toString()}`),
    phoneEnd: () => plain<null>('DELETE', '/me/phone'),
    prompt: (supervision: string, text: string) =>
      plain<unknown>('POST', `/supervisions/${encodeURIComponent(supervision)}/prompts`, { text }),
    reply: (supervision: string, reply: string) =>
      plain<unknown>('POST', `/supervisions/${encodeURIComponent(supervision)}/replies`, { reply }),
    help: (call: string, reason: string | null) =>
      plain<Help>('POST', `/calls/${encodeURIComponent(call)}/help`, { reason }),
    helpReason: (call: string, reason: string) =>
      plain<Help>('PUT', `/calls/${encodeURIComponent(call)}/help`, { reason }),
    helpEnd: (call: string) => plain<null>('DELETE', `/calls/${encodeURIComponent(call)}/help`),
    feedback: (call: string, supervision_id: string, useful: Useful) =>
      plain<null>('POST', `/calls/${encodeURIComponent(call)}/feedback`, {
        supervision_id,
        useful,
      }),
    mark: (supervision: string, kind: MarkWord, text: string | null) =>
      plain<Mark>('POST', `/supervisions/${encodeURIComponent(supervision)}/marks`, { kind, text }),
    heardBefore: (supervision: string) =>
      plain<HeardBefore>('GET', `/supervisions/${encodeURIComponent(supervision)}/heard-before`),
    outcome: (call: string, said: OutcomeAsked) =>
      plain<Outcome>('PUT', `/calls/${encodeURIComponent(call)}/outcome`, said),
    helpComing: (help: string) =>
      plain<Help>('POST', `/help/${encodeURIComponent(help)}/coming`, {}),
    myState: (state: 'available' | 'not_available', reason: string | null) =>
      plain<Agent>('PUT', '/me/state', { state, reason }),
    history: (query: Record<string, string>) =>
      plain<{ items: Call[]; next_cursor: string | null }>(
        'GET',
        `/history/calls?${new URLSearchParams(query).toString()}`,
      ),
    health: () => plain<Health>('GET', '/health'),
    putLabels: (preset: string, words: Record<string, string>) =>
      plain<Labels>('PUT', '/labels', { preset, words }),
  }
}

export type Api = ReturnType<typeof makeApi>
