// A real server with the demo's people and phones, and a real browser. Ports are the kernel's choice; what
// is started here is stopped here, by its own id.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

export const BINARY =
  process.env['UNDERTONE_BIN'] ?? new URL('../../target/debug/undertone', import.meta.url).pathname
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
export const DESK = '2001'

export interface Server {
  origin: string
  key: string
  /** None if the server was there before (`UNDERTONE_ORIGIN`, `UNDERTONE_KEY`). */
  process: ChildProcess | null
  /** When it said that it is ready, as `performance.now` counts. */
  readyAt: number
  stop(): Promise<void>
}

/** `undertone demo`, once it has said where it is. */
export async function demo(calls = 10, more: string[] = []): Promise<Server> {
  const { UNDERTONE_ORIGIN: there, UNDERTONE_KEY: known } = process.env
  if (there && known) {
    return {
      origin: there,
      key: known,
      process: null,
      readyAt: performance.now(),
      stop: async () => {},
    }
  }
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: cargo build`)
  const ports = ['--http', '127.0.0.1:0', '--sip', '127.0.0.1:0', '--rtp', '127.0.0.1:0']
  const child = spawn(BINARY, ['demo', ...ports, '--calls', String(calls), ...more], {
    env: { ...process.env, RUST_LOG: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const found = (pattern: RegExp) => pattern.exec(said)?.[1]
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the demo did not start: ${said}`)), 60_000)
    const hear = (text: Buffer) => {
      said += text.toString()
      if (found(/(ut_[\w-]+)/) && said.includes('curl')) {
        clearTimeout(late)
        resolve()
      }
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('exit', (code) => reject(new Error(`the demo ended with ${code}: ${said}`)))
  })
  await ready
  const readyAt = performance.now()
  const origin = found(/web address\s+(http:\/\/[^/\s]+)/)
  const key = found(/(ut_[\w-]+)/)
  if (!origin || !key) throw new Error(`the demo told no address: ${said}`)
  const stop = () =>
    new Promise<void>((resolve) => {
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
      child.removeAllListeners('exit')
      child.on('exit', () => {
        clearTimeout(hard)
        resolve()
      })
      child.kill('SIGTERM')
    })
  return { origin, key, process: child, readyAt, stop }
}

/** Its microphone beeps once a second; `denied`: it refuses the microphone, as a person may. */
export async function browser(denied = false): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      ...(denied ? [] : ['--use-fake-ui-for-media-stream']),
      '--use-fake-device-for-media-stream',
      '--autoplay-policy=user-gesture-required',
    ],
  })
}

export interface Visit {
  page: Page
  /** What the browser complained about: scripts, styles that a policy refused. */
  complaints: string[]
  close(): Promise<void>
}

/** A new person at the door: own storage, own cookies. */
export async function visit(
  chrome: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await chrome.newContext({
    viewport: { width: 1400, height: 900 },
    locale: 'en-GB',
    ...options,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !text.startsWith('Failed to load resource'))
      complaints.push(text)
  })
  await page.goto(url)
  return { page, complaints, close: () => context.close() }
}

interface DemoRole {
  login: string
  password: string
  host: string
}

/** The demo's sign-ins, as it tells them to this machine. */
export async function role(server: Server, login: string): Promise<DemoRole> {
  const offer = await ask<{ demo: DemoRole[] | null }>(server, '/session')
  const one = offer.demo?.find((person) => person.login === login)
  if (!one) throw new Error(`the demo has nobody who signs in as ${login}`)
  return one
}

/** As the button of `/demo` does it: under the role's own host name, where its cookie is its own. */
export async function enter(page: Page, server: Server, login = 'mia'): Promise<void> {
  const { host } = await role(server, login)
  await page.goto(`http://${host}/?as=${login}`)
  await page.getByRole('navigation').waitFor()
}

/** Signs in by key; the demo's Mia has the desk phone 2001, which answers by itself. */
export async function signIn(page: Page, key: string, desk = DESK): Promise<void> {
  await page.getByRole('button', { name: 'Use an API key instead' }).click()
  await page.getByLabel('API key').fill(key)
  await page.getByLabel('Your desk phone').fill(desk)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation').waitFor()
}

export async function wallboard(page: Page): Promise<void> {
  await page.getByRole('grid').waitFor()
  await page
    .getByRole('button', { name: /^Listen.*Ana Ruiz/ })
    .first()
    .waitFor()
}

/** Asks the API as a script would, to see what is true on the server. */
export async function ask<T>(server: Server, path: string): Promise<T> {
  const headers = { Authorization: `Bearer ${server.key}` }
  const response = await fetch(`${server.origin}/api/v1${path}`, { headers })
  return (await response.json()) as T
}

/** Mia's phone, which a page that has just closed still holds for some seconds. */
export async function hangUp(server: Server): Promise<void> {
  const headers = { Authorization: `Bearer ${server.key}` }
  await fetch(`${server.origin}/api/v1/me/phone`, { method: 'DELETE', headers })
}

/** Looks until it is so, for so long at most. */
export async function until<T>(
  look: () => Promise<T | null | undefined | false>,
  what: string,
  ms = 15_000,
): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const seen = await look()
    if (seen) return seen
    if (Date.now() > end) throw new Error(`not seen within ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
