/**
 * Where the demo brand's warehouses and stores stand: real districts, with the points that the division table gives.
 * The warehouses are in the logistics districts of hub cities, the stores in districts of large cities.
 */
import type { Freight } from '../../../router/node.ts'

export interface WarehousePlace {
  readonly node: string
  readonly name: string
  readonly adcode: string
  /** Has cold rooms: holds cold and frozen goods. */
  readonly cold: boolean
  readonly preferenceFen: number
}

function warehouse(node: string, name: string, adcode: string, cold = false, preferenceFen = 0): WarehousePlace {
  return { node, name, adcode, cold, preferenceFen }
}

export const warehousePlaces: readonly WarehousePlace[] = [
  warehouse('WH-SHA', '上海青浦仓', '310118', true),
  warehouse('WH-HGH', '杭州余杭仓', '330110'),
  warehouse('WH-CAN', '广州花都仓', '440114', true),
  warehouse('WH-SZX', '深圳龙岗仓', '440307'),
  warehouse('WH-PEK', '北京大兴仓', '110115', true),
  warehouse('WH-TSN', '天津武清仓', '120114'),
  warehouse('WH-WUH', '武汉东西湖仓', '420112', true),
  warehouse('WH-CTU', '成都双流仓', '510116', true),
  warehouse('WH-SHE', '沈阳于洪仓', '210114', false, 50),
  warehouse('WH-XIY', '西安长安仓', '610116', false, 50),
]

/** Adcode prefixes of the cities with stores, largest first. */
// biome-ignore format: a table of codes is read across
export const storeCities: readonly string[] = [
  '3101', '1101', '4401', '4403', '5101', '3301', '5001', '4201', '3205', '3201', '6101', '4301',
  '1201', '4101', '3702', '3302', '2101', '3401', '3502', '3701', '2102', '5301', '3501', '4601',
]

/** An express contract of a hub: cheap first kilogram in the region, dearer steps to the far west. */
export const warehouseFreight: Freight = {
  bands: [
    { kmMax: 100, firstFen: 480, stepFen: 60 },
    { kmMax: 400, firstFen: 560, stepFen: 100 },
    { kmMax: 900, firstFen: 700, stepFen: 200 },
    { kmMax: 1600, firstFen: 900, stepFen: 400 },
    { kmMax: 20_000, firstFen: 1300, stepFen: 800 },
  ],
  firstGrams: 1000,
  stepGrams: 1000,
}

/** A store books single parcels: a rider in town, who beats the warehouse for what is light; list price beyond. */
export const storeFreight: Freight = {
  bands: [
    { kmMax: 5, firstFen: 350, stepFen: 80 },
    { kmMax: 20, firstFen: 480, stepFen: 120 },
    { kmMax: 300, firstFen: 1000, stepFen: 300 },
    { kmMax: 1200, firstFen: 1400, stepFen: 600 },
    { kmMax: 20_000, firstFen: 2000, stepFen: 1000 },
  ],
  firstGrams: 1000,
  stepGrams: 500,
}
