// Shapes that the page knows and the server's OpenAPI does not have yet. Each goes away when the
// generated schema has it; nothing here is on screen before that (`features.ts`).

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

export interface HealthItem {
  id: string
  state: 'ok' | 'warn' | 'bad'
  value: string
  detail?: string | null
}
