/** What becomes of secrets that are changed in part: a line a case. */
import { expect, test } from 'vitest'
import type { Kept, Read } from '../../adapters/store/secrets/credentials.ts'
import { type CredentialChanges, changedSecrets } from './secret-settings.ts'

const now = 1_000_000
const soon = now + 1_000
const by = { name: 'jd', credentialKeys: ['key', 'secret'] }
const current = { key: 'k', secret: 'new' }
const kept = (previous: Kept['previous'], previousUntil: number): Read => ({
  outcome: 'kept',
  kept: { current, previous, previousUntil },
})
const alone = kept(null, 0)
const two = kept({ key: 'k', secret: 'old' }, soon)
const over = kept({ key: 'k', secret: 'old' }, now)
const lost: Read = { outcome: 'unknown_key', keyId: 'x' }
const newest = { key: 'k', secret: 'newest' }

test.each<[what: string, before: Read, CredentialChanges, after: Kept | null | string]>([
  ['nothing', two, {}, null],
  ['nothing, where nobody can open them', lost, {}, null],
  ['one key', alone, { credentials: { secret: 'newest' } }, { current: newest, previous: null, previousUntil: 0 }],
  [
    'one key, which ends those before',
    two,
    { credentials: { secret: 'newest' } },
    { current: newest, previous: null, previousUntil: 0 },
  ],
  [
    'one key without a gap',
    two,
    { credentials: { secret: 'newest' }, previousUntil: soon },
    { current: newest, previous: current, previousUntil: soon },
  ],
  [
    'the same again, which keeps those before',
    two,
    { credentials: current, previousUntil: soon + 1 },
    { current, previous: { key: 'k', secret: 'old' }, previousUntil: soon + 1 },
  ],
  [
    'the end',
    two,
    { previousUntil: soon + 1 },
    { current, previous: { key: 'k', secret: 'old' }, previousUntil: soon + 1 },
  ],
  ['the end, to now', two, { previousUntil: now }, { current, previous: null, previousUntil: 0 }],
  ['the end of those that are over', over, { previousUntil: soon }, { current, previous: null, previousUntil: 0 }],
  ['the end of none', alone, { previousUntil: soon }, { current, previous: null, previousUntil: 0 }],
  [
    'those before',
    alone,
    { previousCredentials: newest, previousUntil: soon },
    { current, previous: newest, previousUntil: soon },
  ],
  ['a key away that is asked for', alone, { credentials: { secret: null } }, 'credentials lacks secret for jd.'],
  ['another key away', kept(null, 0), { credentials: { more: null } }, { current, previous: null, previousUntil: 0 }],
  ['a part where nobody can open them', lost, { credentials: { secret: 's' } }, 'credentials lacks key for jd.'],
  [
    'all where nobody can open them',
    lost,
    { credentials: newest, previousUntil: soon },
    { current: newest, previous: null, previousUntil: 0 },
  ],
  [
    'too few before',
    alone,
    { previousCredentials: { key: 'k' }, previousUntil: soon },
    'previousCredentials lacks secret for jd.',
  ],
  [
    'an end too far',
    alone,
    { previousUntil: now + 91 * 86_400_000 },
    'The one before is taken for at most 90 days more.',
  ],
])('%s', (_, before, given, after) => {
  const changed = changedSecrets(before, given, by, now)
  if (typeof after === 'string') expect(changed).toMatchObject({ refused: { code: 'invalid_request', message: after } })
  else expect(changed).toEqual({ after })
})
