/** Addresses and the table of divisions. */
import fc from 'fast-check'
import {
  buildDivisions,
  type Division,
  pointOfAdcode,
  resolveAddress,
  resolveReceiver,
} from '../../../router/address.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'
import { decidingContext, fixtureText } from '../samples.ts'
import { expectThat, target } from '../target.ts'

const rows: readonly Division[] = fixtureText('adapters/divisions/divisions.csv')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [adcode = '', name = '', lat = '', lng = ''] = line.split(',')
    return { adcode, name, point: lat === '' ? null : { lat: Number(lat), lng: Number(lng) } }
  })
const nameByCode = new Map(rows.map((row) => [row.adcode, row.name]))
const odd = [
  '',
  ' ',
  '市',
  '省',
  '区',
  '县',
  '自治区',
  '市辖区',
  '__proto__',
  'constructor',
  'null',
  '\0',
  '\ud800',
  '省'.repeat(5_000),
]

interface Named {
  readonly province: string
  readonly city: string
  readonly district: string
  readonly adcode: string | null
}

/** Names of one place, of places that do not belong together, and of none. */
function drawNames(random: Random): Named {
  const row = random.pick(rows)
  const above = (length: number) => nameByCode.get(row.adcode.slice(0, length).padEnd(6, '0')) ?? ''
  const name = (right: string): string => {
    switch (random.below(8)) {
      case 0:
        return random.pick(odd)
      case 1:
        return random.pick(rows).name
      case 2:
        return mutateBytes(random, Buffer.from(right)).toString()
      case 3:
        return right.slice(0, -1)
      default:
        return right
    }
  }
  const adcode = random.oneIn(3) ? random.pick([random.pick(rows).adcode, '000000', '999999', '', 'abc', '33']) : null
  return { province: name(above(2)), city: name(above(4)), district: name(row.name), adcode }
}

const address = target<Named>({
  name: 'address',
  share: 8,
  draw: drawNames,
  run({ adcode, ...named }) {
    const { divisions } = decidingContext()
    const found = resolveAddress(divisions, named)
    if (found !== null) {
      expectThat(/^\d{6}$/.test(found.adcode), 'a code of six digits')
      expectThat(pointOfAdcode(divisions, found.adcode) !== null, 'a division that has a point')
    }
    const rest = { name: '', phone: '', town: '', street: '', postalCode: '', oaid: '', point: null }
    const resolved = resolveReceiver(divisions, { ...rest, ...named, adcode })
    expectThat((resolved.point === null) === (resolved.adcode === null), 'a code and a point, or neither')
    expectThat(resolved.adcode === null || /^\d{6}$/.test(resolved.adcode), 'a code of six digits')
    if (resolved.point !== null) {
      expectThat(Math.abs(resolved.point.lat) <= 90 && Math.abs(resolved.point.lng) <= 180, 'a point on Earth')
    }
  },
})

const anyRow = fc.record({
  adcode: fc.oneof(
    fc.constantFrom('330000', '330100', '330106', '339000', '110000', '110100', '110115'),
    fc.stringMatching(/^\d{6}$/),
  ),
  name: fc.oneof(
    fc.constantFrom('浙江省', '杭州市', '西湖区', '北京市', '市辖区', '省直辖县级行政区划', '市', '区'),
    fc.string(),
  ),
  point: fc.option(fc.record({ lat: fc.integer({ min: -90, max: 90 }), lng: fc.integer({ min: -180, max: 180 }) })),
})
const anyTable = fc.array(anyRow, { maxLength: 12 })

const divisions = target<{ readonly table: Division[] }>({
  name: 'divisions',
  share: 2,
  draw: (random) => ({ table: random.value(anyTable) }),
  run({ table }) {
    const built = buildDivisions(table)
    for (const { name } of table) {
      const found = resolveAddress(built, { province: name, city: name, district: name })
      expectThat(
        found === null || table.some((row) => found.adcode.slice(0, 2) === row.adcode.slice(0, 2)),
        'a division of the table',
      )
    }
    const turned = buildDivisions([...table].reverse())
    // A code given twice means one of the two; whichever: the table has each once.
    if (new Set(table.map((r) => r.adcode)).size === table.length) {
      expectThat(turned.points.size === built.points.size, 'the same in any order of rows')
    }
  },
})

export const addressTargets = [address, divisions]
