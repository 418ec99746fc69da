/**
 * Seals secrets that the database keeps. The database has the sealed bytes, the process has the key; one needs both to
 * open them.
 *
 *   envelope: version (1 byte) │ key id (8) │ nonce (12) │ ciphertext │ tag (16)
 *
 * AES-256-GCM. The head and the place where the box stands (table, channel, shop) are authenticated with it: a box that
 * was copied to another row, or whose head was changed, does not open. Nonces are random: safe for 2^32 seals a key,
 * which is a million shops changed once a day for ten years. The cipher's key and the key's public id are both derived
 * from the given one, so the id says nothing about it.
 *
 * Goals: rotation without a gap (a vault opens with several keys and seals with the first). Non-goals: a key service.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'

export interface Vault {
  /** Sixteen hex digits that tell this key from others. */
  readonly keyId: string
  /** Of all keys that it opens with, its own first. */
  readonly keyIds: readonly string[]
  seal(plain: string, place: readonly string[]): Buffer
  open(sealed: Uint8Array, place: readonly string[]): Opened
}

export type Opened =
  /** `outdated`: sealed with one of the other keys; seal it again. */
  | { readonly outcome: 'opened'; readonly plain: string; readonly outdated: boolean }
  | { readonly outcome: 'unknown_key'; readonly keyId: string }
  /** Not what was sealed there. */
  | { readonly outcome: 'altered' }

export const keyBytes = 32
const version = 1
const idBytes = 8
const headBytes = 1 + idBytes
const nonceBytes = 12
const tagBytes = 16

interface Keyed {
  readonly id: Buffer
  readonly cipherKey: KeyObject
}

/** `key` seals and opens, `others` only open. Each has 32 bytes; throws RangeError otherwise. */
export function vaultOf(key: Uint8Array, others: readonly Uint8Array[] = []): Vault {
  const own = keyed(key)
  const all = [own, ...others.map(keyed)]
  const keyIds = [...new Set(all.map(({ id }) => id.toString('hex')))]
  return {
    keyId: keyIds[0]!,
    keyIds,
    seal(plain, place) {
      const head = Buffer.concat([Buffer.of(version), own.id])
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', own.cipherKey, nonce, { authTagLength: tagBytes })
      cipher.setAAD(boundTo(head, place))
      const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([head, nonce, ciphertext, cipher.getAuthTag()])
    },
    open(sealed, place) {
      const box = Buffer.from(sealed)
      if (box.length < headBytes + nonceBytes + tagBytes || box[0] !== version) return { outcome: 'altered' }
      const head = box.subarray(0, headBytes)
      const id = head.subarray(1)
      // Ids are public: they stand in the clear before every box.
      const found = all.find((k) => k.id.equals(id))
      if (found === undefined) return { outcome: 'unknown_key', keyId: id.toString('hex') }
      const nonce = box.subarray(headBytes, headBytes + nonceBytes)
      const decipher = createDecipheriv('aes-256-gcm', found.cipherKey, nonce, { authTagLength: tagBytes })
      decipher.setAAD(boundTo(head, place)).setAuthTag(box.subarray(-tagBytes))
      try {
        const plain = Buffer.concat([
          decipher.update(box.subarray(headBytes + nonceBytes, -tagBytes)),
          decipher.final(),
        ])
        return { outcome: 'opened', plain: plain.toString('utf8'), outdated: found !== own }
      } catch {
        return { outcome: 'altered' }
      }
    },
  }
}

function keyed(key: Uint8Array): Keyed {
  if (key.length !== keyBytes) throw new RangeError(`a key has ${keyBytes} bytes`)
  const derive = (use: string, length: number) => Buffer.from(hkdfSync('sha256', key, '', `paidan ${use}`, length))
  // A KeyObject shows nothing of itself where it is printed.
  return { id: derive('key id', idBytes), cipherKey: createSecretKey(derive('seal v1', keyBytes)) }
}

/** As JSON, so that no two places are written alike. */
function boundTo(head: Buffer, place: readonly string[]): Buffer {
  return Buffer.concat([head, Buffer.from(JSON.stringify(place), 'utf8')])
}
