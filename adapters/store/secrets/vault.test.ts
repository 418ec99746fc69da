import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fc, runs } from '../../../router/testing/seed.ts'
import { vaultOf } from './vault.ts'

const [first, second, third] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
const place = ['shop', 'tmall', 's1']
const opened = (plain: string, outdated = false) => ({ outcome: 'opened', plain, outdated })

test('what is sealed is opened, at its place only', () => {
  const vault = vaultOf(first)
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(fc.string(), { maxLength: 4 }),
      fc.array(fc.string(), { maxLength: 4 }),
      (plain, here, there) => {
        const text = Buffer.from(plain).toString()
        const sealed = vault.seal(text, here)
        expect(vault.open(sealed, here)).toEqual(opened(text))
        if (JSON.stringify(here) !== JSON.stringify(there)) expect(vault.open(sealed, there).outcome).toBe('altered')
      },
    ),
    { numRuns: runs(50) },
  )
})

test('two seals of one secret differ, and neither holds it', () => {
  const vault = vaultOf(first)
  const [a, b] = [vault.seal('appSecret', place), vault.seal('appSecret', place)]
  expect(a.equals(b)).toBe(false)
  expect(a.includes('appSecret')).toBe(false)
})

test('one bit anywhere, a byte less or more: never opened', () => {
  const vault = vaultOf(first)
  const sealed = vault.seal('secret', place)
  for (let at = 0; at < sealed.length * 8; at++) {
    const changed = Buffer.from(sealed)
    changed[at >> 3]! ^= 1 << (at & 7)
    expect(vault.open(changed, place).outcome, `bit ${at}`).not.toBe('opened')
  }
  for (let length = 0; length < sealed.length; length++)
    expect(vault.open(sealed.subarray(0, length), place).outcome, `${length} bytes`).not.toBe('opened')
  expect(vault.open(Buffer.concat([sealed, Buffer.of(0)]), place).outcome).toBe('altered')
})

describe('rotation', () => {
  const old = vaultOf(first)
  const sealed = old.seal('secret', place)
  test('the new vault opens what the old one sealed, and says that it is outdated', () => {
    expect(vaultOf(second, [third, first]).open(sealed, place)).toEqual(opened('secret', true))
    expect(vaultOf(second, [third, first]).keyIds).toHaveLength(3)
  })
  test('one that is ready for the next key still seals with its own', () => {
    const ready = vaultOf(first, [second])
    expect(old.open(ready.seal('x', place), place)).toEqual(opened('x'))
  })
  test('without the key: which one is missing', () => {
    expect(vaultOf(second).open(sealed, place)).toEqual({ outcome: 'unknown_key', keyId: old.keyId })
  })
})

test('a key of another length is refused; none shows where a vault is printed', () => {
  expect(() => vaultOf(Buffer.alloc(31))).toThrow(RangeError)
  expect(() => vaultOf(first, [Buffer.alloc(33)])).toThrow(RangeError)
  const printed = `${inspect(vaultOf(first), { depth: 9, showHidden: true })}${JSON.stringify(vaultOf(first))}`
  expect(printed).not.toContain('01 01 01 01')
  expect(printed).not.toContain(first.toString('base64').slice(0, 8))
})
