// `undertone serve` on a data folder of its own, with people who sign in by a password and have no telephone
// but their browser: a server that can be killed and started again while the pages stay open.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { BINARY, type Server } from './stage'

const PASSWORD = 'correct horse battery'
const SUPERVISES = ['see_wallboard', 'listen', 'whisper', 'barge', 'takeover', 'control']

export interface Person {
  id: string
  name: string
  extension: string
  supervises?: boolean
}

export class House {
  readonly #folder = mkdtempSync(join(tmpdir(), 'undertone-e2e-'))
  readonly #key: string
  #process: ChildProcess | null = null
  #origin = 'http://127.0.0.1:0'

  constructor(people: Person[]) {
    const file = join(this.#folder, 'people.toml')
    writeFileSync(file, people.map(table).join('\n'))
    this.#run(['provision', file])
    for (const { id } of people) this.#run(['user', 'add', id], `${PASSWORD}\n`)
    this.#key = this.key(people.find((person) => person.supervises)?.id ?? '')
  }

  /** A new API key of somebody who supervises. */
  key(id: string): string {
    const made = this.#run(['key', 'add', id, '--rights', SUPERVISES.join(',')])
    return /(ut_[\w-]+)/.exec(made)?.[1] ?? ''
  }

  #run(args: string[], input = ''): string {
    const data = ['--data', join(this.#folder, 'data')]
    return execFileSync(BINARY, [...args, ...data], { input, encoding: 'utf8' })
  }

  /** At the address that it had before, if it ran before. */
  async start(): Promise<Server> {
    const http = new URL(this.#origin).host
    const loopback = ['--sip', '--rtp'].flatMap((flag) => [flag, '127.0.0.1:0'])
    const args = ['serve', '--data', join(this.#folder, 'data'), '--browsers', '0', ...loopback]
    const child = spawn(BINARY, [...args, '--http', http || '127.0.0.1:0'], {
      env: { ...process.env, RUST_LOG: 'warn' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    this.#origin = await told(child)
    const readyAt = performance.now()
    const { origin, key } = { origin: this.#origin, key: this.#key }
    return { origin, key, process: child, readyAt, stop: () => this.stop() }
  }

  /** As by `kill -9`; true when it is gone. */
  async kill(): Promise<boolean> {
    const child = this.#process
    if (!child || child.exitCode !== null) return false
    const gone = new Promise<boolean>((resolve) => child.once('close', () => resolve(true)))
    return child.kill('SIGKILL') && gone
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The address that it prints once it listens. */
function told(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string) => reject(new Error(`the server did not start: ${why} ${said}`))
    const late = setTimeout(() => fail('60 s have passed.'), 60_000)
    const hear = (text: Buffer) => {
      said += text.toString()
      const origin = /^http\s+(http:\/\/\S+)/m.exec(said)?.[1]
      if (!origin || !/^sip\s/m.test(said)) return
      clearTimeout(late)
      resolve(origin)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('exit', (code) => fail(`it ended with ${code}.`))
  })
}

/** The desk phone of each stands for an address from which calls go out; nothing answers there. */
const table = ({ id, name, extension, supervises }: Person) => `
[[person]]
id = "${id}"
name = "${name}"
extension = "${extension}"
rights = ${JSON.stringify(supervises ? SUPERVISES : [])}

[[device]]
id = "${id}-desk"
owner = "${id}"
extension = "${extension}"
contact = "sip:${extension}@127.0.0.1:9"
`

/** By name and password, as anybody does. */
export async function signInAs(page: Page, id: string): Promise<void> {
  await page.locator('input[autocomplete="username"]').fill(id)
  await page.locator('input[autocomplete="current-password"]').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation').waitFor()
}
