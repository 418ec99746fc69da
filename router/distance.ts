/** How far two places are apart, as the crow flies. Good to half a percent, which freight bands never notice. */
import type { Point } from './types.ts'

const earthRadiusKm = 6371.0088
const radiansPerDegree = Math.PI / 180

/** Great-circle distance in kilometres (haversine); symmetric, 0 for one and the same point. */
export function haversineKm(a: Point, b: Point): number {
  const sinLat = Math.sin(((b.lat - a.lat) * radiansPerDegree) / 2)
  const sinLng = Math.sin(((b.lng - a.lng) * radiansPerDegree) / 2)
  const h = sinLat * sinLat + Math.cos(a.lat * radiansPerDegree) * Math.cos(b.lat * radiansPerDegree) * sinLng * sinLng
  // Rounding can push h past 1 at antipodes, where asin has no value.
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)))
}

/**
 * Kilometres in tenths. Sourcing compares and prices these and nothing finer, so that a trace, which keeps tenths,
 * is enough to decide the same again.
 */
export function roundedKm(a: Point, b: Point): number {
  return Math.round(haversineKm(a, b) * 10) / 10
}
