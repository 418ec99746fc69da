/** The platforms' published samples as they lie in the project, and the network that the mutated ones meet. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { projectRoot } from '../../adapters/shared/root.ts'
import { parseGmt8 } from '../../adapters/shared/time.ts'
import { defaultPolicy } from '../../router/policy.ts'
import type { Sku } from '../../router/types.ts'
import { catalogOf } from '../../workers/catalog/catalog.ts'
import type { WorkContext } from '../../workers/decide/take-events.ts'

/** The samples' own day. */
export const nowMs = parseGmt8('2026-11-11 00:10:00')!

export function sampleText(name: string): string {
  return readFileSync(join(projectRoot(), 'adapters/channels/fixtures/samples', name), 'utf8')
}

export function fixtureText(path: string): string {
  return readFileSync(join(projectRoot(), path), 'utf8')
}

export const settings = {
  shop: 'fuzz',
  skuMap: { '4712345678901': 'CF-JKT-BLK-L', toString: 'CF-SOCK-GRY' },
} as const

/** Two plain SKUs, a gift and a bundle: those of the samples. */
const skus: readonly Sku[] = [
  { sku: 'CF-JKT-BLK-L', name: '冲锋衣', weightGrams: 900, storageClass: 'normal', warehouseOnly: false, bundle: [] },
  { sku: 'CF-SOCK-GRY', name: '袜', weightGrams: 80, storageClass: 'cold', warehouseOnly: true, bundle: [] },
  { sku: 'CF-GIFT-BUFF', name: '头巾', weightGrams: 40, storageClass: 'normal', warehouseOnly: false, bundle: [] },
  {
    sku: 'CF-TENT-2P',
    name: '帐篷',
    weightGrams: 0,
    storageClass: 'normal',
    warehouseOnly: false,
    bundle: [
      { sku: 'CF-JKT-BLK-L', quantity: 2 },
      { sku: 'CF-SOCK-GRY', quantity: 3 },
    ],
  },
]

let known: WorkContext | undefined

/** What a thread decides with. Made on first use. */
export function decidingContext(): WorkContext {
  known ??= {
    catalog: catalogOf({
      version: 1,
      shops: new Map(
        ['tmall', 'jd', 'wechat'].map((channel) => [
          `${channel}/${settings.shop}`,
          {
            channel: channel as 'tmall',
            shop: settings.shop,
            credentials: {},
            apiBaseUrl: null,
            skuMap: settings.skuMap,
          },
        ]),
      ),
      skus: new Map(skus.map((value, no) => [value.sku, { no: no + 1, value }])),
      nodes: [],
    }),
    policy: defaultPolicy,
    divisions: loadDivisions(),
  }
  return known
}
