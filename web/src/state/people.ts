// Who is who on a call, as rows and sentences name them. Pure; knows no words.
import type { AgentAfter, Call, Party, Supervision } from '../api/types'

/** The person supervised: the connected agent, else any. */
export function agentOf(call: Call): Party | null {
  const agents = call.parties.filter((party) => party.role === 'agent')
  return agents.find((party) => party.connected) ?? agents[0] ?? null
}

/** The other end: the customer, or in an internal call the second agent. */
export function otherOf(call: Call): Party | null {
  const customer = call.parties.find((party) => party.role === 'customer')
  if (customer) return customer
  const first = agentOf(call)
  return call.parties.find((party) => party.role === 'agent' && party.id !== first?.id) ?? null
}

export const isInternal = (call: Call) => !call.parties.some((party) => party.role === 'customer')

/** `+1 555 …21`: enough to tell two callers apart, not enough to call one. */
export const masked = (number: string) => (number.length > 4 ? `…${number.slice(-2)}` : number)

export function shownName(party: Party | null, mask = false): string {
  if (!party) return ''
  if (party.name) return party.name
  return mask ? masked(party.number) : party.number
}

export const running = (call: Call): Supervision[] =>
  call.supervisions.filter((one) => one.state === 'live' || one.state === 'connecting')

/** Who hears a whisper: the named targets that are still there. */
export function targetsOf(call: Call, supervision: Supervision): Party[] {
  return call.parties.filter((party) => supervision.targets.includes(party.id) && party.connected)
}

/** Whether this party's output was measured to carry the supervisor's voice just now. */
export const hearsSupervisor = (party: Party, supervision: Supervision) =>
  supervision.party_id != null && party.hears.includes(supervision.party_id)

/** What has become of the agent in a takeover; null where nothing is known, for nothing is claimed then. */
export function agentFate(
  call: Call,
  asked: AgentAfter | null,
): 'listening' | 'held' | 'stays' | 'gone' | null {
  const agent = call.parties.find((party) => party.role === 'agent' && party.connected)
  if (!agent) return 'gone'
  if (agent.held) return 'held'
  if (agent.listening_only !== undefined) return agent.listening_only ? 'listening' : 'stays'
  return asked === 'listening' || asked === 'stays' ? asked : null
}
