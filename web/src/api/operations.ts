// Made by `npm run types` from crates/api/openapi.json. Do not edit: what the server does not have is absent on screen.
export const OPERATIONS: readonly string[] = [
  'DELETE /api/v1/calls/{id}',
  'DELETE /api/v1/supervisions/{id}',
  'GET /api/v1/agents',
  'GET /api/v1/audit',
  'GET /api/v1/calls',
  'GET /api/v1/calls/{id}',
  'GET /api/v1/calls/{id}/abilities',
  'GET /api/v1/supervisions/{id}',
  'PATCH /api/v1/supervisions/{id}',
  'POST /api/v1/agents/{extension}/supervisions',
  'POST /api/v1/calls',
  'POST /api/v1/calls/{id}/hold',
  'POST /api/v1/calls/{id}/resume',
  'POST /api/v1/calls/{id}/supervisions',
  'POST /api/v1/calls/{id}/transfer',
  'POST /api/v1/supervisions/{id}/agent',
]
