/** Access tokens as `/cgi-bin/stable_token` gives them: the same one until it nears its end or is forced. */
import { randomFrom, randomHex } from '../../adapters/shared/seeded-random.ts'

export interface TokenIssuer {
  /** WeChat's own errcodes: 40013 unknown appid, 40125 wrong secret, 40002 wrong grant_type. */
  issue(
    wanted: TokenRequest,
    nowMs: number,
    livesMs: number,
  ): { token: string; expiresIn: number } | { errcode: number }
  /** 0 valid, 41001 missing, 40001 not ours, 42001 expired. */
  check(token: string | null, nowMs: number): 0 | 41001 | 40001 | 42001
}

export interface TokenRequest {
  readonly grant_type?: unknown
  readonly appid?: unknown
  readonly secret?: unknown
  readonly force_refresh?: unknown
}

export function tokenIssuer(appId: string, appSecret: string, seed: number): TokenIssuer {
  const random = randomFrom(seed, 0x70_6b)
  const expiresAt = new Map<string, number>()
  let current = ''
  return {
    issue(wanted, nowMs, livesMs) {
      if (wanted.grant_type !== 'client_credential') return { errcode: 40002 }
      if (wanted.appid !== appId) return { errcode: 40013 }
      if (wanted.secret !== appSecret) return { errcode: 40125 }
      if (wanted.force_refresh === true || (expiresAt.get(current) ?? 0) <= nowMs) {
        current = `demo_${randomHex(random, 40)}`
        expiresAt.set(current, nowMs + livesMs)
      }
      return { token: current, expiresIn: Math.ceil((expiresAt.get(current)! - nowMs) / 1000) }
    },
    check(token, nowMs) {
      if (token === null || token === '') return 41001
      const end = expiresAt.get(token)
      if (end === undefined) return 40001
      return end <= nowMs ? 42001 : 0
    },
  }
}
