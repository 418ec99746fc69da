import { describe, expect, test } from 'vitest'
import { billFormatNames } from '../shared/bill-formats.ts'
import { billFormats } from './bills.ts'

describe.each(billFormatNames)('%s', (name) => {
  test('is in the registry under its own name', () => {
    expect(billFormats[name].name).toBe(name)
  })
  test.each([
    ['nothing', ''],
    ['other text', 'hello\n'],
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
  ])('refuses %s with a message for a person, and throws nothing', (_, file) => {
    const parsed = billFormats[name].parse(Buffer.from(file))
    expect(parsed).toMatchObject({ outcome: 'refused', code: 'malformed_bill', message: expect.stringMatching(/\.$/) })
  })
})
