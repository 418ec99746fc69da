/** XML text from plain data: every value is escaped here and nowhere else. */

export type Attributes = Readonly<Record<string, string | number>>

/** Children are XML already; text goes through `escaped`. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(attributeText(value))}"`)
  const open = `<${name}${words.join('')}`
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`
}

/** Two decimals are finer than any screen. A figure that is none is a mistake of ours and must not reach a file. */
function attributeText(value: string | number): string {
  if (typeof value === 'string') return value
  if (!Number.isFinite(value)) throw new RangeError(`not a coordinate: ${value}`)
  return String(Number(value.toFixed(2)))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that XML 1.0 cannot hold in any form become a question mark. */
export function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '?')
    .replace(/[&<>"']/g, (character) => entities[character]!)
}
