/** The project's own table of Chinese divisions: divisions.csv; see NOTICE.md beside it for its source and licence. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildDivisions, type Division, type Divisions } from '../../router/address.ts'
import { projectRoot } from '../shared/root.ts'

/** Reads the file once a call: call it once a thread. Some 10 ms. Throws when the file is missing or damaged. */
export function loadDivisions(): Divisions {
  const text = readFileSync(join(projectRoot(), 'adapters', 'divisions', 'divisions.csv'), 'utf8')
  return buildDivisions(text.trimEnd().split('\n').slice(1).map(parseRow))
}

function parseRow(line: string): Division {
  const [adcode = '', name = '', lat = '', lng = ''] = line.split(',')
  const point = lat === '' ? null : { lat: Number(lat), lng: Number(lng) }
  if (!/^\d{6}$/.test(adcode) || name === '' || (point && !(isDegrees(point.lat, 90) && isDegrees(point.lng, 180))))
    throw new Error(`divisions.csv is damaged at adcode ${adcode}`)
  return { adcode, name, point }
}

function isDegrees(value: number, max: number): boolean {
  return Number.isFinite(value) && Math.abs(value) <= max
}
