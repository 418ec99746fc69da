/**
 * The names of the check's rules (./check.ts) as they were and are, so that a trace can say "all of set 1" in one
 * digit. A set never changes: a change of `rules` adds a set.
 */
export const ruleSets: readonly (readonly string[])[] = [
  [
    'unpaid',
    'platform_hold',
    'presale_balance',
    'unknown_sku',
    'amount_mismatch',
    'unresolvable_address',
    'address_under_review',
    'human_wanted',
    'risky_quantity',
  ],
  [
    'unpaid',
    'platform_hold',
    'presale_balance',
    'unknown_sku',
    'too_many_items',
    'amount_mismatch',
    'unresolvable_address',
    'address_under_review',
    'human_wanted',
    'risky_quantity',
  ],
  [
    'unpaid',
    'platform_hold',
    'presale_balance',
    'unknown_sku',
    'too_many_items',
    'too_many_units',
    'amount_mismatch',
    'unresolvable_address',
    'address_under_review',
    'human_wanted',
    'risky_quantity',
  ],
]

export function readPassed(described: number | readonly string[]): readonly string[] {
  return typeof described === 'number' ? (ruleSets[described - 1] ?? []) : described
}
