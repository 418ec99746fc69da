/** Bills and carriers' pushes. */
import { badLinesShown, type ParsedBill } from '../../../adapters/bills/bill.ts'
import { parseGenericBill } from '../../../adapters/bills/generic.ts'
import { parseWechatPayBill } from '../../../adapters/bills/wechatpay.ts'
import { receiveKuaidi100, signKuaidi100 } from '../../../adapters/carriers/kuaidi100.ts'
import { formatForm } from '../../../adapters/shared/form.ts'
import { billKinds } from '../../../router/bill.ts'
import { carrierCode } from '../../../router/carrier.ts'
import { trackStates } from '../../../router/track.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { jsonSample, mutateJson } from '../mutate-json.ts'
import { nastyAmounts, nastyInstants } from '../nasty.ts'
import type { Random } from '../random.ts'
import { fixtureText } from '../samples.ts'
import { expectThat, target } from '../target.ts'

interface Bytes {
  readonly bytes: Uint8Array
}

export const wechatPaySample = fixtureText('adapters/bills/fixtures/wechatpay.tradebill.ALL.csv')
export const genericSample = [
  'ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt',
  'p1,tmall,晨风,4089823765510044812,payment,25900,155,2026-11-11 00:00:04',
  '"r,1",jd,12345,77,refund,4000,-24,2026-11-12T01:02:03+08:00',
  'f1,,,,fee,300,,1794326400000',
].join('\n')

/** A cell for a cell, a line twice or not at all; one in three changed as bytes. */
function drawCsv(random: Random, text: string, separator: string): Bytes {
  const lines = text.split('\n')
  for (let change = 1 + random.small(4); change > 0; change--) {
    const at = random.below(lines.length)
    const cells = lines[at]!.split(separator)
    const cell = random.below(cells.length)
    switch (random.below(6)) {
      case 0:
        lines.splice(at, 1)
        break
      case 1:
        lines.splice(at, 0, ...new Array<string>(1 + random.small(30)).fill(lines[at]!))
        break
      case 2:
        cells.splice(cell, random.below(2), random.pick(nastyAmounts))
        lines[at] = cells.join(separator)
        break
      case 3:
        cells[cell] = random.pick(nastyInstants)
        lines[at] = cells.join(separator)
        break
      case 4:
        cells[cell] = random.pick(['"', '""', '"a\n', '`', ',', '\r', '', 'x'.repeat(300), '=cmd()', '\0', '张'])
        lines[at] = cells.join(separator)
        break
      default:
        cells[cell] = cells[random.below(cells.length)]!
        lines[at] = cells.join(separator)
    }
    if (lines.length === 0) lines.push('')
  }
  const bytes = Buffer.from(lines.join(random.oneIn(4) ? '\r\n' : '\n'))
  return { bytes: random.oneIn(3) ? mutateBytes(random, bytes) : bytes }
}

function checkBill(bill: ParsedBill): void {
  if (bill.outcome === 'refused') {
    expectThat(bill.badLines.length <= badLinesShown && bill.message.length < 2_000, 'a short refusal')
    return
  }
  for (const { ref, reason, cells } of bill.setAside) {
    expectThat(ref !== '' && reason !== '', 'a row that is set aside has a name and a reason')
    for (const cell of Object.values(cells)) expectThat(!/[\0\p{Cs}]/u.test(cell), 'cells that can be stored')
  }
  for (const row of bill.rows) {
    expectThat(billKinds.includes(row.kind), 'a known kind')
    expectThat(Number.isSafeInteger(row.amountFen) && row.amountFen >= 0, 'an amount of whole fen, not negative')
    expectThat(Number.isSafeInteger(row.feeFen), 'a fee of whole fen')
    expectThat(Number.isSafeInteger(row.occurredAt) && row.occurredAt >= 0, 'an instant')
    expectThat(row.ref !== '' && row.ref.length <= 200 && !/[\0\p{Cs}]/u.test(row.ref), 'a ref that can be a key')
    const named = [row.channel, row.shop, row.orderId].filter((part) => part !== null).length
    expectThat(row.kind === 'fee' || row.transactionId !== null || named === 3, 'a payment or refund of something')
    for (const part of [row.shop, row.orderId, row.transactionId]) {
      expectThat(part === null || (part.length <= 200 && !/[\0\p{Cs}]/u.test(part)), 'keys that can be stored')
    }
  }
}

const wechatPay = target<Bytes>({
  name: 'bill-wechatpay',
  share: 8,
  draw: (random) => drawCsv(random, wechatPaySample, ','),
  run({ bytes }) {
    const bill = parseWechatPayBill(bytes)
    checkBill(bill)
    if (bill.outcome !== 'parsed') return
    expectThat(new Set(bill.rows.map((r) => r.ref)).size === bill.rows.length, 'every trade once')
  },
})

const generic = target<Bytes>({
  name: 'bill-generic',
  share: 4,
  draw: (random) => drawCsv(random, genericSample, ','),
  run: ({ bytes }) => checkBill(parseGenericBill(bytes)),
})

export const kuaidi100Samples = ['kuaidi100.push.param.json', 'kuaidi100.push.signed.param.json'].map((name) =>
  jsonSample(fixtureText(`adapters/carriers/fixtures/${name}`)),
)

const kuaidi100 = target<{ readonly param: string; readonly signed: boolean; readonly form: Uint8Array | null }>({
  name: 'kuaidi100',
  share: 10,
  draw: (random) => ({
    param: mutateJson(random, kuaidi100Samples).toString(),
    signed: !random.oneIn(8),
    form: random.oneIn(8) ? mutateBytes(random, Buffer.from('sign=A&param=%7B%7D')) : null,
  }),
  run({ param, signed, form }) {
    const sign = signed ? signKuaidi100(param, 'a-salt') : 'F'.repeat(32)
    const body = form ?? Buffer.from(formatForm([...Object.entries({ sign, param })]))
    const push = receiveKuaidi100(body, 'a-salt')
    expectThat(signed || push.outcome === 'refused', 'nothing without its signature')
    if (push.outcome === 'refused')
      expectThat(['bad_signature', 'malformed'].includes(push.code), 'a documented refusal')
    if (push.outcome === 'stopped') checkKeys(push.carrier, push.waybill)
    if (push.outcome !== 'track') return
    const { carrier, waybill, state, occurredAt } = push.track
    checkKeys(carrier, waybill)
    expectThat(trackStates.includes(state), 'a known state')
    expectThat(Number.isSafeInteger(occurredAt) && occurredAt >= 0, 'an instant')
    carrierCode(carrier)
  },
})

function checkKeys(...keys: readonly string[]): void {
  for (const key of keys)
    expectThat(key !== '' && key.length <= 64 && !/[\p{Cc}\p{Cs}]/u.test(key), 'keys that can be stored')
}

export const paperTargets = [wechatPay, generic, kuaidi100]
