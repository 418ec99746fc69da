/** Where the values and names of a JSON text stand, so that it can be changed as text: keys twice, ids unrounded. */

export interface Token {
  /** A name stands in `name`; a value is one of the others. */
  readonly kind: 'name' | 'string' | 'number' | 'word' | 'object' | 'array'
  readonly start: number
  readonly end: number
  /** Of a value: where its member or element begins (at its name) and ends; the root's is itself. */
  readonly entryStart: number
}

/** Of sound JSON; throws on anything else. */
export function jsonTokens(text: string): readonly Token[] {
  JSON.parse(text)
  const tokens: Token[] = []
  let at = 0
  const skip = (): void => {
    while (at < text.length && ' \n\r\t'.includes(text[at]!)) at++
  }
  const string = (): void => {
    for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
    at++
  }
  function value(entryStart: number): void {
    skip()
    const start = entryStart < 0 ? at : entryStart
    const from = at
    const first = text[at]!
    let kind: Token['kind'] = 'word'
    if (first === '"') {
      kind = 'string'
      string()
    } else if (first === '{' || first === '[') {
      kind = first === '{' ? 'object' : 'array'
      list(first === '{')
    } else {
      if (first === '-' || (first >= '0' && first <= '9')) kind = 'number'
      while (at < text.length && !',]} \n\r\t'.includes(text[at]!)) at++
    }
    tokens.push({ kind, start: from, end: at, entryStart: start })
  }
  function list(named: boolean): void {
    at++
    for (skip(); text[at] !== '}' && text[at] !== ']'; skip()) {
      let entryStart = -1
      if (named) {
        entryStart = at
        string()
        tokens.push({ kind: 'name', start: entryStart, end: at, entryStart })
        skip()
        at++
      }
      value(entryStart)
      skip()
      if (text[at] === ',') at++
    }
    at++
  }
  value(-1)
  return tokens
}
