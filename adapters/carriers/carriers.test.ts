import { describe, expect, test } from 'vitest'
import type { CarrierRefusalCode } from './carrier.ts'
import { carrierNamed, carriers } from './carriers.ts'

const codes: readonly CarrierRefusalCode[] = [
  ...(['bad_signature', 'malformed', 'unknown_account', 'body_too_large', 'try_again'] as const),
]

test('names are paths, and each is there once', () => {
  const names = carriers.map((carrier) => carrier.name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z0-9_-]+$/)
  expect(carrierNamed('another')).toBe(null)
})

describe.each(carriers)('$name', (carrier) => {
  test('is found by its name', () => {
    expect(carrierNamed(carrier.name)).toBe(carrier)
  })
  test('needs no key but the one that PUT /v1/carriers/{carrier}/{account} takes', () => {
    expect(carrier.credentialKeys).toEqual(['salt'])
  })
  test.each([
    ['no bytes', ''],
    ['other bytes', '\0{'],
    ['an unsigned form', 'param={}'],
  ])('takes %s from nobody, without credentials as well', (_, text) => {
    const request = { query: '', contentType: '', body: Buffer.from(text) }
    const credentials = Object.fromEntries(carrier.credentialKeys.map((key) => [key, 'secret']))
    for (const given of [credentials, {}]) expect(carrier.receive(request, given).outcome).toBe('refused')
  })
  test('every refusal is another answer than the acknowledgement, with a status that is an error', () => {
    expect(carrier.acknowledgement.status).toBe(200)
    for (const code of codes) {
      const { status, body } = carrier.refusal(code)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(body).not.toBe(carrier.acknowledgement.body)
    }
  })
})
