/**
 * The operator's token that the first start made: kept for all processes of a database, sealed as credentials are, so
 * that a dump does not show it. Earlier versions kept it as plain text, under another key of `setting`; the next start
 * seals that token and removes the plain one. Older backups still hold it: ADMIN_TOKEN chooses another.
 */
import type { Queryable, Sql } from '../postgres/connect.ts'
import { unknownKey } from './credentials.ts'
import { dropDeadRows, oweDeadRows } from './dead-rows.ts'
import type { Vault } from './vault.ts'

const sealedSetting = 'admin_token_sealed'
const plainSetting = 'admin_token'
const place = ['setting', sealedSetting]

export interface KeptAdminToken {
  readonly token: string
  /**
   * `made`: there was none. `made_anew`: there was one that no key opens any more; processes that still run take the
   * old one until their next start.
   */
  readonly outcome: 'kept' | 'made' | 'made_anew'
}

/**
 * The token that is kept, or `fresh` from now on: the first process decides for all. Sealed anew when another key of
 * the vault sealed it. Throws CredentialsKeyError on one that a key sealed that is not here, unless that key `isLost`.
 */
export async function adminTokenOrKeep(
  sql: Sql,
  vault: Vault,
  fresh: string,
  { isLost }: { readonly isLost: boolean },
): Promise<KeptAdminToken> {
  const kept = await sql.begin(async (tx) => {
    // In this order: who takes the plain one away makes the others wait for the sealed one.
    const plain = await takePlain(tx)
    const first = plain ?? fresh
    const made = await tx`
      insert into setting (key, value) values (${sealedSetting}, ${boxOf(tx, vault, first)}) on conflict do nothing`
    if (made.count > 0) return { token: first, outcome: plain === null ? 'made' : 'kept' } as const
    const [row] = await tx<{ box: string }[]>`
      select value #>> '{}' as box from setting where key = ${sealedSetting} for update`
    const opened = vault.open(Buffer.from(row!.box, 'base64'), place)
    if (opened.outcome === 'unknown_key' && !isLost) throw unknownKey([opened], vault)
    const isOpen = opened.outcome === 'opened'
    const token = isOpen ? opened.plain : fresh
    if (!isOpen || opened.outdated)
      await tx`update setting set value = ${boxOf(tx, vault, token)} where key = ${sealedSetting}`
    return { token, outcome: isOpen ? 'kept' : 'made_anew' } as const
  })
  await dropDeadRows(sql)
  return kept
}

async function takePlain(tx: Queryable): Promise<string | null> {
  const [row] = await tx<{ token: string }[]>`
    delete from setting where key = ${plainSetting} returning value #>> '{}' as token`
  if (row !== undefined) await oweDeadRows(tx, 'setting')
  return row?.token ?? null
}

const boxOf = (tx: Queryable, vault: Vault, token: string) =>
  tx`to_jsonb(${vault.seal(token, place).toString('base64')}::text)`
