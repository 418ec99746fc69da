/** The settings of a simulated process: always the same catalog, over the availability that the product keeps. */
import type { Figures } from '../../adapters/store/order-store.ts'
import { Availability } from '../../workers/catalog/availability.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'
import type { CatalogWatch } from '../../workers/catalog/catalog-watch.ts'
import { KeptAvailability } from '../../workers/catalog/kept-availability.ts'

const skusMax = 8
const recordsMax = 1_024
const credentials = [{ appId: 'simulated', appSecret: 'simulated' }]

export type SettingsView = Pick<
  CatalogWatch,
  'current' | 'availability' | 'credentials' | 'fillAvailability' | 'heard' | 'hear' | 'setAvailability'
>

export function settingsOf(catalog: Catalog, figures: Figures): SettingsView {
  const kept = new KeptAvailability(figures, catalog, Availability.sized(skusMax, recordsMax))
  return {
    current: catalog,
    get availability() {
      return kept.current
    },
    credentials: () => credentials,
    fillAvailability: () => kept.fill(),
    heard: (node) => kept.heard(node),
    hear: (node, seq) => kept.hear(node, seq),
    setAvailability: (node, rows) => kept.set(node, rows),
  }
}
