/** Which order of the plan a platform's order id is: the ids carry it (bench/traffic/ids.ts). */

const places: Readonly<Record<string, RegExp>> = {
  tmall: /^4\d{5}(\d{8})\d{5}$/,
  jd: /^3\d{3}(\d{8})$/,
  wechat: /^37\d{5}(\d{8})\d{4}$/,
}

/** null for an id that no generator made. */
export function indexOfOrder(channel: string, orderId: string): number | null {
  const digits = places[channel]?.exec(orderId)?.[1]
  return digits === undefined ? null : Number(digits)
}
