/**
 * Every service that pushes tracks of parcels. To add one: write a module that exports a `Carrier` and add it here; its
 * webhook's path and its accounts follow from its name. Nothing else in the project knows a service.
 */
import type { Carrier } from './carrier.ts'
import { kuaidi100 } from './kuaidi100.ts'

export const carriers: readonly Carrier[] = [kuaidi100]

export function carrierNamed(name: string): Carrier | null {
  return carriers.find((carrier) => carrier.name === name) ?? null
}
