/**
 * WeChat's message push: signatures are the hex SHA-1 of the sorted, joined parts; messages are AES-256-CBC, keyed by
 * EncodingAESKey, with the key's first half as IV. The plain text is 16 random bytes, the message's length (uint32, big
 * endian), the message, and the receiver's appid, padded by PKCS#7 to blocks of 32 bytes: AES libraries know 16.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { hexDigest } from '../../shared/digest.ts'
import { formatForm } from '../../shared/form.ts'

const blockBytes = 32
const headBytes = 16 + 4

export function wechatDigest(...parts: readonly string[]): string {
  return hexDigest('sha1', ...[...parts].sort())
}

export type Decrypted =
  | { readonly outcome: 'message'; readonly message: Uint8Array }
  /** The ciphertext was made with another key, cut off, or for another appid. */
  | { readonly outcome: 'malformed' | 'wrong_appid' }

export function decryptWechat(encrypted: string, encodingAesKey: string, appId: string): Decrypted {
  const key = keyOf(encodingAesKey)
  const sealed = Buffer.from(encrypted, 'base64')
  if (key === null || sealed.length < blockBytes || sealed.length % 16 !== 0) return { outcome: 'malformed' }
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const plain = decipher.update(sealed)
  const padding = plain[plain.length - 1]!
  const end = plain.length - padding
  if (padding < 1 || padding > blockBytes || end < headBytes) return { outcome: 'malformed' }
  for (let at = end; at < plain.length; at++) if (plain[at] !== padding) return { outcome: 'malformed' }
  const messageEnd = headBytes + plain.readUInt32BE(16)
  if (messageEnd > end) return { outcome: 'malformed' }
  if (plain.toString('latin1', messageEnd, end) !== appId) return { outcome: 'wrong_appid' }
  return { outcome: 'message', message: plain.subarray(headBytes, messageEnd) }
}

export interface WechatPush {
  readonly token: string
  readonly encodingAesKey: string
  readonly appId: string
  /** JSON or XML text, as bytes. */
  readonly message: Uint8Array
  /** Epoch seconds. */
  readonly timestamp: string
  readonly nonce: string
  /** 16 bytes, from the caller: this file rolls no dice. */
  readonly random: Uint8Array
  readonly format?: 'json' | 'xml'
}

/** Query string and body of a push, as the platform sends it. */
export function encryptWechat(push: WechatPush): { readonly query: string; readonly body: string } {
  const { token, timestamp, nonce, message, appId, format = 'json' } = push
  const key = keyOf(push.encodingAesKey)
  if (key === null || push.random.length !== 16)
    throw new RangeError('EncodingAESKey has 43 characters, random 16 bytes')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.length)
  const plain = Buffer.concat([push.random, length, message, Buffer.from(appId, 'latin1')])
  const padding = blockBytes - (plain.length % blockBytes)
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const sealed = Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(padding, padding)), cipher.final()])
  const encrypted = sealed.toString('base64')
  const query = formatForm([
    ['signature', wechatDigest(token, timestamp, nonce)],
    ['timestamp', timestamp],
    ['nonce', nonce],
    ['encrypt_type', 'aes'],
    ['msg_signature', wechatDigest(token, timestamp, nonce, encrypted)],
  ])
  return {
    query,
    body:
      format === 'json'
        ? JSON.stringify({ ToUserName: appId, Encrypt: encrypted })
        : `<xml><ToUserName><![CDATA[${appId}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`,
  }
}

export function isEncodingAesKey(text: string): boolean {
  return keyOf(text) !== null
}

function keyOf(encodingAesKey: string): Buffer | null {
  if (encodingAesKey.length !== 43) return null
  const key = Buffer.from(`${encodingAesKey}=`, 'base64')
  return key.length === 32 ? key : null
}
