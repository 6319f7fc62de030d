// Shapes that the page knows and the server's OpenAPI does not have yet. Each goes away when the
// generated schema has it; nothing here is on screen before that (`features.ts`).

/** Why a call wants help, as far as only the server can know it. */
export interface Attention {
  code: 'help_requested' | 'silent' | 'talk_over' | 'one_sided'
  since: string
  count?: number | null
  detail?: string | null
}

export interface Device {
  id: string
  name: string
  uri: string
  ready: boolean
}

export type RoleWord = 'supervisor' | 'agent' | 'administrator'

/** Limits beyond which the page says that something lasts long. */
export interface Limits {
  whisper_long_ms: number
  whisper_share: number
  whisper_per_min: number
  hold_long_ms: number
  talk_long_ms: number
  wrap_up_long_ms: number
  silence_ms: number
  mask_numbers: boolean
}

export interface Me {
  person: { id: string; name: string; extension?: string | null; login?: string | null }
  role: RoleWord
  rights: string[]
  csrf: string | null
  devices: Device[]
  server_time?: string
  server: { version: string; demo: boolean; wrap_up_ms?: number }
  labels?: { preset: string; words: Record<string, string> }
  policy?: Partial<Limits>
}

export interface DemoRole {
  login: string
  password: string
  role: RoleWord
  name: string
  about: string
  host: string
}

/** What the sign-in page needs before anybody is signed in. */
export interface SessionOffer {
  signed_in: boolean
  first_run: boolean
  methods: string[]
  demo: DemoRole[] | null
}

export interface Help {
  id: string
  call_id: string
  agent: { id: string; name: string }
  reason: string | null
  at: string
  coming: { id: string; name: string } | null
  told: number
}

export interface Phone {
  id: string
  state: 'connecting' | 'up' | 'lost' | 'elsewhere'
  send_codec?: string
  call_id?: string | null
  supervision_id?: string | null
}

export interface IceServer {
  urls: string[]
  username: string
  credential: string
}

export interface PartyMeter {
  id: string
  /** Null: nothing came. */
  level_dbfs: number | null
  speaking: boolean
  hears: string[]
  link?: { rtt_ms: number; loss: number; jitter_ms: number } | null
}
