import { expect, test } from 'vitest'
import { takeFirstToken } from '../src/state/first'

const at = (hash: string, search = '') => ({ hash, pathname: '/wallboard', search })

test('the token of the link is read behind the # and taken out of the address', () => {
  const seen: unknown[] = []
  const past = { state: 7, replaceState: (...what: unknown[]) => void seen.push(what) }
  expect(takeFirstToken(at('#first=abc', '?team=a'), past)).toBe('abc')
  expect(seen).toEqual([[7, '', '/wallboard?team=a']])
})

test('a token in the query, which servers are sent, and another # are none', () => {
  const past = {
    state: null,
    replaceState: () => {
      throw new Error('the address stays')
    },
  }
  expect(takeFirstToken(at('', '?first=abc'), past)).toBeNull()
  expect(takeFirstToken(at('#main'), past)).toBeNull()
  expect(takeFirstToken(at(''), past)).toBeNull()
})
