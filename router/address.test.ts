import { describe, expect, test } from 'vitest'
import {
  buildDivisions,
  type Division,
  pointOfAdcode,
  resolveAddress,
  resolveReceiver,
  unknownPrefixes,
} from './address.ts'
import { fc } from './testing/seed.ts'
import type { Receiver } from './types.ts'

// A few real rows; the whole table has its own test beside its file.
const rows: readonly Division[] = [
  ['110000', '北京市', 39.9042, 116.4074],
  ['110100', '市辖区', 39.9042, 116.4074],
  ['110105', '朝阳区', 39.9215, 116.4432],
  ['220000', '吉林省', 43.8965, 125.3257],
  ['220100', '长春市', 43.8171, 125.3235],
  ['220104', '朝阳区', 43.8338, 125.2883],
  ['650000', '新疆维吾尔自治区', 43.793, 87.6277],
  ['654000', '伊犁哈萨克自治州', 43.9169, 81.3241],
  ['654002', '伊宁市', 43.9086, 81.278],
  ['654021', '伊宁县', 43.9771, 81.5275],
  ['320000', '江苏省', 32.0617, 118.7628],
  ['320800', '淮安市', 33.6104, 119.0153],
].map(([adcode, name, lat, lng]) => ({ adcode, name, point: { lat, lng } }) as Division)
const divisions = buildDivisions([
  ...rows,
  { adcode: '320812', name: '清江浦区', point: null },
  { adcode: '990101', name: '无省区', point: null },
])

const codeOf = (province: string, city: string, district: string) =>
  resolveAddress(divisions, { province, city, district })?.adcode ?? null

test('adcode prefixes with which a division begins', () => {
  const known = ['11', '1101', '110105', '654002', '65', '220000']
  const unknown = ['12', '1102', '110106', '2200', '9', '11010', '']
  expect(unknownPrefixes(divisions, [...known, ...unknown])).toEqual(unknown)
  expect(unknownPrefixes(divisions, [])).toEqual([])
})

describe('falls back to the division above', () => {
  test.each<[province: string, city: string, district: string, adcode: string | null]>([
    ['吉林省', '长春市', '朝阳区', '220104'],
    ['吉林省', '长春市', '新开区', '220100'],
    ['吉林省', '无此市', '无此区', '220000'],
    ['无此省', '长春市', '朝阳区', null],
    ['', '', '', null],
    ['吉林', ' 长春 ', '朝阳', '220104'],
    ['北京', '北京', '朝阳', '110105'],
    ['北京', '朝阳区', '望京街道', '110105'],
    // 伊宁 is a city and a county: only the full name says which.
    ['新疆', '伊犁', '伊宁市', '654002'],
    ['新疆', '伊犁', '伊宁县', '654021'],
    ['新疆', '伊犁州', '伊宁', '654000'],
    ['江苏', '淮安', '清江浦', '320812'],
    ['__proto__', 'constructor', 'toString', null],
    ['=北京市', '', '', null],
  ])('%s %s %s → %s', (province, city, district, adcode) => {
    expect(codeOf(province, city, district)).toBe(adcode)
  })
})

test('a row without a point takes the one above it; one without a province is left out', () => {
  expect(pointOfAdcode(divisions, '320812')).toEqual(pointOfAdcode(divisions, '320800'))
  expect(pointOfAdcode(divisions, '990101')).toBeNull()
  expect(pointOfAdcode(divisions, '')).toBeNull()
})

describe('a receiver', () => {
  const receiver: Receiver = {
    name: '张**',
    phone: '',
    province: '吉林省',
    city: '长春市',
    district: '',
    town: '',
    street: '',
    postalCode: '',
    oaid: '',
    adcode: null,
    point: null,
  }
  test.each<[given: string | null, province: string, adcode: string | null]>([
    // The platform's code says more than the names.
    ['220104', '吉林省', '220104'],
    // It contradicts them.
    ['110105', '吉林省', '220100'],
    // It is none that we know.
    ['220199', '吉林省', '220100'],
    // It is all there is.
    ['220104', '无此省', '220104'],
    [null, '吉林省', '220100'],
    [null, '无此省', null],
  ])('code %s in %s → %s', (given, province, adcode) => {
    const resolved = resolveReceiver(divisions, { ...receiver, adcode: given, province })
    expect(resolved.adcode).toBe(adcode)
    expect(resolved.point).toEqual(adcode === null ? null : pointOfAdcode(divisions, adcode))
    expect({ ...resolved, adcode: given, point: null, province: '吉林省' }).toEqual({ ...receiver, adcode: given })
  })
})

test('any names: a division of the table, or null', () => {
  const name = fc.oneof(fc.string(), fc.constantFrom(...rows.map((row) => row.name)))
  fc.assert(
    fc.property(name, name, name, (province, city, district) => {
      const resolved = resolveAddress(divisions, { province, city, district })
      if (resolved !== null) expect(pointOfAdcode(divisions, resolved.adcode)).toEqual(resolved.point)
    }),
  )
})
