// The shapes that the rest of the app names, as the OpenAPI has them.
import type { components } from './schema'

type Schemas = components['schemas']

export type Mode = Schemas['ModeWord']
export type AgentAfter = Schemas['AgentAfterWord']
export type AgentActionWord = Schemas['AgentActionWord']
export type LegWanted = Schemas['LegWire']
export type Party = Schemas['Party']
export type Timing = Schemas['Timing']
export type Moment = Schemas['Moment']
/** Who heard whom from an instant on. */
export type Heard = Schemas['Heard']
/** Of what use a supervisor's help was. */
export type Useful = Schemas['UsefulWord']
export type Mark = Schemas['Mark']
export type MarkWord = Schemas['MarkWord']
export type HeardBefore = Schemas['HeardBefore']
/** What came of a call. */
export type Outcome = Schemas['Outcome']
export type OutcomeAsked = Schemas['OutcomeAsked']
export type Supervision = Schemas['Supervision']
export type Call = Schemas['Call']
export type Agent = Schemas['Agent']
/** Why a call wants help, as far as only the server can know it. */
export type Attention = Schemas['Attention']
export type Help = Schemas['Help']
export type Ability = Schemas['Ability']
export type AuditRow = Schemas['AuditRow']
export type AuditList = Schemas['AuditList']

export type RoleWord = 'supervisor' | 'agent' | 'administrator'
export type Device = Schemas['MeDevice']
export type Me = Omit<Schemas['MeWire'], 'role'> & { role: RoleWord }
/** Beyond which the page says that something lasts long. */
export type Limits = Schemas['MePolicy']
export type Labels = Schemas['Labels']
export type Health = Schemas['Health']
export type HealthItem = Schemas['HealthItem']
export type DemoRole = Omit<Schemas['DemoPerson'], 'role'> & { role: RoleWord }
/** What the sign-in page needs before anybody is signed in. */
export type SessionOffer = Omit<Schemas['SessionState'], 'demo'> & { demo?: DemoRole[] | null }
export type IceServer = Schemas['IceServer']
/** The person's one leg in a browser; `elsewhere`: another page has it. */
export type Phone = Omit<Schemas['Phone'], 'state'> & {
  state: 'connecting' | 'up' | 'lost' | 'elsewhere'
}
export type PartyMeter = Schemas['MeterItem']

export const MODES: readonly Mode[] = ['listen', 'whisper', 'barge', 'takeover']
export type Abilities = Partial<Record<Mode, Ability>>
