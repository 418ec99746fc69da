/**
 * Carriers by their many names. Warehouses write what they like (SF, shunfeng, 顺丰速运), kuaidi100 writes its own
 * code: both become kuaidi100's code. A name that is not listed stays as it is, in lower case.
 */
import { mayBeAbout, type Track } from './track.ts'

const names: Readonly<Record<string, readonly string[]>> = {
  shunfeng: ['sf', 'sfexpress', 'sf-express', '顺丰', '顺丰速运', '顺丰快递'],
  zhongtong: ['zto', '中通', '中通快递'],
  yuantong: ['yto', '圆通', '圆通速递', '圆通快递'],
  yunda: ['yd', 'yundaex', '韵达', '韵达快递', '韵达速递'],
  shentong: ['sto', '申通', '申通快递'],
  jtexpress: ['jt', 'jtsd', 'jitu', '极兔', '极兔速递'],
  jd: ['jdl', 'jdexpress', 'jingdong', '京东', '京东物流', '京东快递'],
  ems: ['china-ems', '邮政特快', '邮政ems'],
  youzhengguonei: ['postb', 'chinapost', '邮政', '邮政快递包裹', '中国邮政'],
  debangkuaidi: ['dbl', 'db', 'deppon', 'debangwuliu', '德邦', '德邦快递'],
  danniao: ['cainiao', 'dn', '丹鸟', '菜鸟', '菜鸟速递'],
  huitongkuaidi: ['htky', 'best', '百世', '百世快递'],
}

const codeByName = new Map(Object.entries(names).flatMap(([code, all]) => [code, ...all].map((name) => [name, code])))

/** kuaidi100's code for a carrier's name; an unlisted name in lower case. */
export function carrierCode(name: string): string {
  const key = name.trim().toLowerCase()
  return codeByName.get(key) ?? key
}

export function isKnownCarrier(name: string): boolean {
  return codeByName.has(name.trim().toLowerCase())
}

/** What a track is looked up by. */
export interface TrackedParcel {
  readonly carrier: string
  readonly waybill: string
  /** Epoch milliseconds, ours: when the node confirmed it. */
  readonly shippedAt: number
}

/**
 * The track of a parcel: by waybill, then by carrier, the first that can be about this parcel (`mayBeAbout`): the tracks of one
 * carrier are given in the sequence of its parcels with that number. Where the
 * service found out that another carrier has it, that one's word counts before the first one's. A single track with the
 * waybill is taken for the parcel's own unless both carriers are known and differ, since plain numbers are issued by
 * more than one carrier.
 */
export function trackOf(tracks: readonly Track[], parcel: TrackedParcel): Track | null {
  const sameWaybill = tracks.filter((track) => track.waybill === parcel.waybill)
  const fitting = sameWaybill.filter((track) => mayBeAbout(track, parcel))
  for (const code of carriersOf(sameWaybill, parcel.carrier)) {
    const same = fitting.find((track) => carrierCode(track.carrier) === code)
    if (same !== undefined) return same
  }
  const only = fitting[0]
  if (only === undefined || fitting.some((track) => track.carrier !== only.carrier)) return null
  return isKnownCarrier(parcel.carrier) && isKnownCarrier(only.carrier) ? null : only
}

/** The codes of those that have or had a parcel, the last first. */
function carriersOf(sameWaybill: readonly Track[], carrier: string): readonly string[] {
  const codes = [carrierCode(carrier)]
  for (;;) {
    const next = sameWaybill.find((track) => carrierCode(track.carrier) === codes[0])?.carrierNew
    // Two that name each other name nobody.
    if (next === undefined || codes.includes(carrierCode(next))) return codes
    codes.unshift(carrierCode(next))
  }
}
