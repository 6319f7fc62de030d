// What the server has of Mia's supervision, and who was measured to hear her: the truth that the page's
// sentences and lamps are held against.
import { expect } from 'vitest'
import { ask, until, type Server } from './stage'

export interface Wire {
  id: string
  parties: { id: string; role: string; name: string; hears: string[] }[]
  supervisions: {
    id: string
    state: string
    mode: string
    muted: boolean
    party_id: string | null
    supervisor: { id: string }
  }[]
}

/** Mia's running supervision, as the server has it. */
export async function mine(server: Server) {
  const { items } = await ask<{ items: Wire[] }>(server, '/calls')
  const all = items.flatMap((call) => call.supervisions.map((one) => ({ ...one, call })))
  return all.find((one) => one.state === 'live' && one.supervisor.id === 'mia') ?? null
}

/** Who was measured to hear Mia at some instant of this time. */
export async function hearers(server: Server, ms: number): Promise<string[]> {
  const roles = new Set<string>()
  const end = Date.now() + ms
  while (Date.now() < end) {
    const now = await mine(server)
    for (const party of now?.call.parties ?? []) {
      if (now?.party_id && party.hears.includes(now.party_id)) roles.add(party.role)
    }
  }
  return [...roles].sort()
}

/** Looks until exactly these hear Mia, and nobody else ever does meanwhile. */
export async function heardBy(server: Server, expected: string[]): Promise<void> {
  const seen = new Set<string>()
  await until(
    async () => {
      for (const one of await hearers(server, 500)) seen.add(one)
      expect(expected).toEqual(expect.arrayContaining([...seen]))
      return seen.size === expected.length
    },
    `${expected.join(' and ')} hear Mia`,
  )
}

/** What was said just before may still be on its way: then for a while nobody does. */
export const heardByNobody = (server: Server) =>
  until(
    async () => (await hearers(server, 1_500)).length === 0,
    'nobody hears Mia any more',
    60_000,
  )
