// What this server can do. The pages are built from the same commit's OpenAPI and served by the same
// binary, so this is known when they are built; nobody asks at run time.
import { OPERATIONS } from './operations'

const there = new Set(OPERATIONS)
const has = (operation: string) => there.has(operation)

export const features = {
  /** Sign-in by name and password, with a cookie. */
  sessions: has('POST /api/v1/session'),
  me: has('GET /api/v1/me'),
  events: has('GET /api/v1/events'),
  /** Sound both ways in the browser. */
  phone: has('POST /api/v1/me/phone'),
  help: has('POST /api/v1/calls/{id}/help'),
  prompts: has('POST /api/v1/supervisions/{id}/prompts'),
  replies: has('POST /api/v1/supervisions/{id}/replies'),
  answer: has('POST /api/v1/calls/{id}/answer'),
  /** Of what use help was. */
  feedback: has('POST /api/v1/calls/{id}/feedback'),
  /** Notes, flags and bookmarks of who supervises. */
  marks: has('POST /api/v1/supervisions/{id}/marks'),
  /** What came of a call. */
  outcome: has('PUT /api/v1/calls/{id}/outcome'),
  agentState: has('PUT /api/v1/me/state'),
  history: has('GET /api/v1/history/calls'),
  /** Who heard whom on a call. */
  heard: has('GET /api/v1/calls/{id}/heard'),
  password: has('PUT /api/v1/me/password'),
  health: has('GET /api/v1/health'),
  /** Hear as a party of the demo does. */
  ears: has('GET /api/v1/demo/calls/{id}/ears/{party}'),
  /** Lists as CSV. */
  sheets: has('GET /api/v1/history/calls'),
} as const
