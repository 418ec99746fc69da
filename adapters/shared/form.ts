/**
 * application/x-www-form-urlencoded, decoded to bytes: signatures are over decoded bytes, and a payload goes on as
 * bytes, so no text is made of them on the way.
 */

/** No platform sends more than a dozen; a body of thousands of names is not a form that we know. */
const fieldsMax = 64

/**
 * Names with their decoded values. `null` when it is no form: a broken percent sign, a name twice (which of the two was
 * signed?), a name that is not printable ASCII, or too many names.
 */
export function parseForm(encoded: Uint8Array): Map<string, Buffer> | null {
  const fields = new Map<string, Buffer>()
  if (encoded.length === 0) return fields
  const decoded = Buffer.allocUnsafe(encoded.length)
  let at = 0
  let end = 0
  while (at <= encoded.length) {
    const nameStart = end
    let valueStart = -1
    for (; at < encoded.length; at++) {
      let byte = encoded[at]!
      if (byte === ampersand) break
      if (byte === equals && valueStart < 0) {
        valueStart = end
        continue
      }
      if (byte === plus) byte = space
      else if (byte === percent) {
        if (at + 2 >= encoded.length) return null
        const high = hexValue[encoded[at + 1]!]!
        const low = hexValue[encoded[at + 2]!]!
        if (high < 0 || low < 0) return null
        byte = high * 16 + low
        at += 2
      }
      decoded[end++] = byte
    }
    at++
    if (end === nameStart && valueStart < 0) continue
    if (valueStart < 0) valueStart = end
    const name = decoded.toString('latin1', nameStart, valueStart)
    if (!printable.test(name) || fields.has(name) || fields.size === fieldsMax) return null
    fields.set(name, decoded.subarray(valueStart, end))
  }
  return fields
}

/** A query string: the same, from text. */
export function parseQuery(query: string): Map<string, Buffer> | null {
  return parseForm(Buffer.from(query, 'utf8'))
}

/** The inverse. Everything but letters, digits and `-_.~` is percent-encoded, so that no reader can differ on it. */
export function formatForm(fields: Iterable<readonly [name: string, value: string]>): string {
  const parts: string[] = []
  for (const [name, value] of fields) parts.push(`${encode(name)}=${encode(value)}`)
  return parts.join('&')
}

const [ampersand, equals, plus, percent, space] = [0x26, 0x3d, 0x2b, 0x25, 0x20]
const printable = /^[\x21-\x7e]{1,64}$/
const hexValue = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(digit) ? -1 : digit
})

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}
