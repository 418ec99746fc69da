/** The two formats of WeChat's message push, to one object. Which of them comes is chosen in the shop's console. */
import { XMLParser } from 'fast-xml-parser'
import { parseJson } from '../../shared/json.ts'
import { utf8 } from '../event.ts'
import { isObject, type Json, unintelligible } from '../read.ts'

/**
 * The ciphertext in a push's envelope, null when there is none. Runs before anything is verified, so XML is not parsed
 * here but searched, which is linear whatever it holds.
 */
export function encryptedIn(body: Uint8Array): string | null {
  const text = utf8(body)?.trim()
  if (!text) return null
  if (text.startsWith('<')) return within(text)
  try {
    const envelope: unknown = JSON.parse(text)
    return isObject(envelope) && typeof envelope.Encrypt === 'string' ? envelope.Encrypt : null
  } catch {
    return null
  }
}

function within(xml: string): string | null {
  const start = xml.indexOf('<Encrypt>')
  const end = xml.indexOf('</Encrypt>', start)
  if (start < 0 || end < 0) return null
  const content = xml.slice(start + '<Encrypt>'.length, end).trim()
  return content.startsWith('<![CDATA[') && content.endsWith(']]>') ? content.slice(9, -3) : content
}

/** The decrypted message as an object; throws `Unintelligible`. */
export function parseMessage(payload: Uint8Array): Json {
  const text = utf8(payload)?.trim()
  if (!text) unintelligible('message')
  let message: unknown
  try {
    message = text.startsWith('<') ? parseXml(text) : parseJson(text)
  } catch {
    unintelligible('message')
  }
  return isObject(message) ? message : unintelligible('message')
}

/** No document type, so no entities and nothing external; values stay text, so no id is rounded. */
function parseXml(text: string): unknown {
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY')) return null
  const root: unknown = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    processEntities: false,
    ignoreDeclaration: true,
  }).parse(text, true)
  return isObject(root) ? root.xml : null
}
