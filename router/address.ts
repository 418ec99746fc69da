/**
 * Names of divisions, as buyers and platforms write them, to an adcode and a point. Platforms agree on the official
 * names more or less: suffixes come and go (`北京`, `北京市`), municipalities have a city or do not, and a county that
 * its province governs directly stands where a city should. Whatever is not known falls back to the division above it.
 *
 * The table is an argument, so that the brain reads no file. Look-ups are by Map only; no list is searched.
 */
import type { Point, Receiver } from './types.ts'

/** One row of the table: a 6-digit adcode (`330000` province, `330100` city, `330110` district). */
export interface Division {
  readonly adcode: string
  readonly name: string
  readonly point: Point | null
}

export interface ResolvedAddress {
  readonly adcode: string
  readonly point: Point
}

/** Names to what they mean within one division; null where two divisions share the name. */
interface Names<T> {
  readonly full: Map<string, T | null>
  readonly short: Map<string, T | null>
}

interface City {
  readonly resolved: ResolvedAddress
  readonly districts: Names<ResolvedAddress>
}

interface Province {
  readonly resolved: ResolvedAddress
  readonly cities: Names<City>
  /** All districts of the province: for counties without a city, and for municipalities. */
  readonly districts: Names<ResolvedAddress>
}

export interface Divisions {
  readonly provinces: Names<Province>
  readonly points: ReadonlyMap<string, Point>
}

export interface NamedAddress {
  readonly province: string
  readonly city: string
  readonly district: string
}

/** The finest division that the names lead to; null when not even the province is known. */
export function resolveAddress(divisions: Divisions, address: NamedAddress): ResolvedAddress | null {
  const province = find(divisions.provinces, address.province)
  if (province === null) return null
  const city = find(province.cities, address.city)
  if (city !== null) return find(city.districts, address.district) ?? city.resolved
  // A district where the city should be (JD's 北京 / 大兴区), or no city at all (省直辖县级行政区划).
  return find(province.districts, address.city) ?? find(province.districts, address.district) ?? province.resolved
}

/** The division's point, or that of the one above it; null for a code that is none. */
export function pointOfAdcode(divisions: Divisions, adcode: string): Point | null {
  return divisions.points.get(adcode) ?? null
}

/** Those of some adcode prefixes (province 2, city 4, district 6 digits) with which no division begins. */
export function unknownPrefixes({ points }: Divisions, prefixes: readonly string[]): string[] {
  if (prefixes.length === 0) return []
  const known = new Set<string>()
  for (const adcode of points.keys()) {
    known.add(adcode).add(adcode.slice(0, 2))
    // The province itself lies in no city.
    if (levelOf(adcode) !== 0) known.add(adcode.slice(0, 4))
  }
  return prefixes.filter((prefix) => !known.has(prefix))
}

/**
 * The receiver with its adcode and point. The platform's own code goes first where it is a division of the province that
 * the names say; codes and names that contradict each other are decided by the names, which people read.
 */
export function resolveReceiver(divisions: Divisions, receiver: Receiver): Receiver {
  const byName = resolveAddress(divisions, receiver)
  const given = receiver.adcode
  const point = given === null ? null : pointOfAdcode(divisions, given)
  if (given !== null && point !== null && (byName === null || isWithin(given, byName.adcode)))
    return { ...receiver, point }
  return { ...receiver, adcode: byName?.adcode ?? null, point: byName?.point ?? null }
}

/** Whether both codes are of one province, and of one city where both say which. */
function isWithin(a: string, b: string): boolean {
  if (a.slice(0, 2) !== b.slice(0, 2)) return false
  const [cityA, cityB] = [a.slice(2, 4), b.slice(2, 4)]
  return cityA === '00' || cityB === '00' || cityA === cityB
}

/**
 * Builds the look-ups. Rows may come in any order; a row without a point takes that of the division above it, and one
 * whose province has none is left out.
 */
export function buildDivisions(rows: readonly Division[]): Divisions {
  const byCode = new Map(rows.map((row) => [row.adcode, row]))
  const points = new Map<string, Point>()
  for (const { adcode } of rows) {
    const above = [adcode, `${adcode.slice(0, 4)}00`, `${adcode.slice(0, 2)}0000`]
    const point = above.map((code) => byCode.get(code)?.point).find((candidate) => candidate)
    if (point) points.set(adcode, point)
  }
  const provinces = noNames<Province>()
  const provinceByCode = new Map<string, Province>()
  const cityByCode = new Map<string, City>()
  // Coarse before fine, so that what a row belongs to is there already.
  const sorted = [...rows].sort((a, b) => levelOf(a.adcode) - levelOf(b.adcode) || (a.adcode < b.adcode ? -1 : 1))
  for (const { adcode, name } of sorted) {
    const point = points.get(adcode)
    if (point === undefined) continue
    const resolved = { adcode, point }
    if (levelOf(adcode) === 0) {
      const made = { resolved, cities: noNames<City>(), districts: noNames<ResolvedAddress>() }
      provinceByCode.set(adcode.slice(0, 2), made)
      addName(provinces, name, made)
      continue
    }
    const province = provinceByCode.get(adcode.slice(0, 2))
    if (province === undefined) continue
    if (levelOf(adcode) === 1) {
      // Groups that exist in the codes only: their districts are found through the province.
      if (placeholder.test(name)) continue
      const made = { resolved, districts: noNames<ResolvedAddress>() }
      cityByCode.set(adcode.slice(0, 4), made)
      addName(province.cities, name, made)
    } else if (name !== '市辖区') {
      addName(province.districts, name, resolved)
      const city = cityByCode.get(adcode.slice(0, 4))
      if (city !== undefined) addName(city.districts, name, resolved)
    }
  }
  addMunicipalities(provinces, byCode, points)
  return { provinces, points }
}

/** A municipality is its own city: all districts of the province are that city's, whatever its group in the codes. */
function addMunicipalities(
  provinces: Names<Province>,
  byCode: ReadonlyMap<string, Division>,
  points: ReadonlyMap<string, Point>,
): void {
  for (const province of provinces.full.values()) {
    if (province === null) continue
    const division = byCode.get(province.resolved.adcode)!
    const cityCode = `${division.adcode.slice(0, 2)}0100`
    const point = points.get(cityCode)
    if (!division.name.endsWith('市') || point === undefined) continue
    const city = { resolved: { adcode: cityCode, point }, districts: province.districts }
    addName(province.cities, division.name, city)
    for (const name of ['市辖区', '县', '市辖县']) province.cities.full.set(name, city)
  }
}

const placeholder = /^(?:市辖区|县|.*直辖县级行政区划)$/

function levelOf(adcode: string): 0 | 1 | 2 {
  return adcode.endsWith('0000') ? 0 : adcode.endsWith('00') ? 1 : 2
}

/** A full name goes before a shortened one of another division: 伊宁市 and 伊宁县 stay apart, 伊宁 alone is neither. */
function addName<T>(names: Names<T>, name: string, meaning: T): void {
  add(names.full, name, meaning)
  add(names.short, stem(name), meaning)
}

function add<T>(names: Map<string, T | null>, name: string, meaning: T): void {
  const known = names.get(name)
  names.set(name, known === undefined || known === meaning ? meaning : null)
}

function noNames<T>(): Names<T> {
  return { full: new Map(), short: new Map() }
}

function find<T>(names: Names<T>, name: string): T | null {
  if (name === '') return null
  return names.full.get(name) ?? names.short.get(name) ?? names.short.get(stem(name.trim())) ?? null
}

/**
 * A name without what says only its kind: 内蒙古自治区 → 内蒙古, 恩施土家族苗族自治州 → 恩施, 大兴区 → 大兴. One character is
 * never left alone: 郊区 and 城区 are names.
 */
function stem(name: string): string {
  const bare = name.replace(autonomous, '')
  if (bare !== name && bare.length > 1) return bare
  const short = name.replace(kind, '')
  return short.length > 1 ? short : name
}

const peoples =
  '蒙古族?|回族?|藏族|维吾尔|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族?|傣族|黎族|傈僳族|' +
  '佤族|畲族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|仡佬族|锡伯|' +
  '塔吉克|怒族|鄂温克族|裕固族|独龙族|普米族|保安族|各族'
const autonomous = new RegExp(`(?:${peoples})+自治[区州县旗]$|(?<=内蒙古|西藏)自治区$|特别行政区$`)
const kind = /(?:自治[区州县旗]|地区|林区|新区|特区|省|市|州|区|县|盟|旗)$/
