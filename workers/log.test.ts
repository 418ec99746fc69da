import { pino } from 'pino'
import { expect, test } from 'vitest'
import { errorFields } from '../adapters/shared/error-fields.ts'
import { createLog } from './log.ts'

test('an error is logged without what it quotes', () => {
  const log = createLog('silent') as unknown as Record<symbol, { err: unknown }>
  expect(log[pino.symbols.serializersSym]?.err).toBe(errorFields)
})
