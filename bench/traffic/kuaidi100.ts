/** A push of kuaidi100 about one parcel, signed with the account's salt. */
import { signKuaidi100 } from '../../adapters/carriers/kuaidi100.ts'
import { gmt8 } from './amounts.ts'
import type { WireRequest } from './encode.ts'

export interface TrackPush {
  readonly account: string
  readonly salt: string
  /** kuaidi100's own code of the carrier: shunfeng, zhongtong, … */
  readonly carrier: string
  readonly waybill: string
  readonly state: keyof typeof stages
  readonly atMs: number
}

// What the parcel has gone through by then, oldest first; data holds all of it, newest first.
const stages = {
  collected: { code: '1', word: '揽收', path: ['快件已揽收'] },
  in_transit: { code: '0', word: '在途', path: ['快件已揽收', '快件到达【集散中心】'] },
  out_for_delivery: { code: '5', word: '派件', path: ['快件已揽收', '快件到达【集散中心】', '快件派送中'] },
  signed: { code: '3', word: '签收', path: ['快件已揽收', '快件到达【集散中心】', '快件派送中', '已签收'] },
  problem: { code: '2', word: '疑难', path: ['快件已揽收', '快件滞留,等待处理'] },
  returned: { code: '4', word: '退签', path: ['快件已揽收', '收件人拒收', '已退回寄件人'] },
} as const

export function kuaidi100Push(push: TrackPush): WireRequest {
  const stage = stages[push.state]
  const done = push.state === 'signed' || push.state === 'returned'
  const last = stage.path.length - 1
  const data = stage.path
    .map((context, at) => {
      // Stages lie four hours apart, the newest at the push's own instant.
      const time = gmt8(push.atMs - (last - at) * 14_400_000)
      return `{"context":"${context}","time":"${time}","ftime":"${time}","status":"${at === last ? stage.word : '在途'}"}`
    })
    .reverse()
  const param =
    `{"status":"${done ? 'shutdown' : 'polling'}","billstatus":"${done ? 'check' : 'got'}","message":"","autoCheck":"0",` +
    `"comOld":"","comNew":"","lastResult":{"message":"ok","state":"${stage.code}","status":"200","condition":"F00",` +
    `"ischeck":"${push.state === 'signed' ? '1' : '0'}","com":"${push.carrier}","nu":"${push.waybill}","data":[${data.join()}]}}`
  const body = `param=${encodeURIComponent(param)}&sign=${signKuaidi100(param, push.salt)}`
  return {
    method: 'POST',
    path: `/webhooks/carriers/kuaidi100/${push.account}`,
    query: '',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' },
    body: Buffer.from(body),
  }
}
