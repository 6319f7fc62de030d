// Who is free, on a call, away: exactly three groups, each by how long it has been so. Pure.
import type { Agent } from '../api/types'

export const GROUPS = ['available', 'on_call', 'not_available'] as const
export type Group = (typeof GROUPS)[number]

export const groupOf = ({ state }: Agent): Group =>
  state === 'available' || state === 'on_call' ? state : 'not_available'

/** The same person is sorted again with each change of any other. */
const sinces = new WeakMap<Agent, number>()
function since(agent: Agent): number {
  const known = sinces.get(agent) ?? Date.parse(agent.since)
  sinces.set(agent, known)
  return known
}

export function groupsOf(agents: Iterable<Agent>): { group: Group; people: Agent[] }[] {
  const sorted = [...agents].sort((a, b) => since(a) - since(b))
  return GROUPS.map((group) => ({
    group,
    people: sorted.filter((agent) => groupOf(agent) === group),
  }))
}
