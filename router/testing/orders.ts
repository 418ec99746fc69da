/** For tests: orders as platforms tell them, with everything that a case does not care about filled in. */
import type { Task } from '../task.ts'
import type { OrderKey, OrderSnapshot, Receiver, RefundSnapshot, Sku, SnapshotLine } from '../types.ts'

export const key: OrderKey = { channel: 'tmall', shop: 's', orderId: 'O1' }

/** Single-letter SKUs are plain; `SET` is two A and one B; `V` is never sent. Everything else is unknown. */
export function catalog(code: string): Sku | undefined {
  const bundle =
    code === 'SET'
      ? [
          { sku: 'A', quantity: 2 },
          { sku: 'B', quantity: 1 },
        ]
      : []
  if (bundle.length === 0 && !/^[A-FV]$/.test(code)) return undefined
  const virtual = code === 'V' ? { requiresShipping: false } : {}
  return { ...virtual, sku: code, name: code, weightGrams: 100, storageClass: 'normal', warehouseOnly: false, bundle }
}

export const receiver: Receiver = {
  name: '王**',
  phone: '1**',
  province: '浙江省',
  city: '杭州市',
  district: '余杭区',
  town: '',
  street: '密街1号',
  postalCode: '',
  oaid: '',
  adcode: '330110',
  point: { lat: 30, lng: 120 },
}

/** What a platform tells that leaves the receiver out. */
export const noReceiver: Receiver = {
  ...{ name: '', phone: '', province: '', city: '', district: '', town: '', street: '', postalCode: '', oaid: '' },
  ...{ adcode: null, point: null },
}

export function line(lineId: string, change: Partial<SnapshotLine> = {}): SnapshotLine {
  return {
    lineId,
    sku: 'A',
    platformSku: lineId,
    title: lineId,
    quantity: 1,
    paidFen: 100,
    gift: false,
    giftOf: null,
    refund: 'none',
    readyAt: null,
    ...change,
  }
}

/** Paid, ready to ship, told at 10; what was paid is what the lines and the freight add up to. */
export function snapshot(change: Partial<OrderSnapshot> = {}): OrderSnapshot {
  const lines = change.lines ?? [line('1')]
  const freightFen = change.freightFen ?? 0
  return {
    type: 'order',
    ...key,
    platformState: 'ready',
    platformStateRaw: 'X',
    createdAt: 1,
    paidAt: 2,
    modifiedAt: 10,
    fetchNumber: 0,
    shipBy: null,
    lines,
    freightFen,
    paidFen: lines.reduce((sum, l) => sum + l.paidFen, freightFen),
    receiver,
    buyerId: 'b',
    buyerMessage: '',
    sellerMemo: '',
    sellerFlag: 0,
    addressUnderReview: false,
    presale: null,
    transactionId: null,
    ...change,
  }
}

/** A refund of 100 fen of line 1, asked for at 20. */
export function refund(change: Partial<RefundSnapshot> = {}): RefundSnapshot {
  return {
    type: 'refund',
    ...key,
    refundId: 'R1',
    lineId: '1',
    status: 'requested',
    refundFen: 100,
    modifiedAt: 20,
    ...change,
  }
}

export function task(change: Partial<Task> = {}): Task {
  return {
    taskId: '1-1',
    node: 'N',
    state: 'ready',
    fence: 0,
    interceptRequested: false,
    notBefore: null,
    change: 0,
    changeTaken: 0,
    lines: [{ sku: 'A', quantity: 1, shipped: 0 }],
    ...change,
  }
}
