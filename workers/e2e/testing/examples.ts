/** For tests: a proper request to each endpoint of the contract, by the endpoint's name. */
import { contract } from '../../../adapters/http/v1/contract.ts'
import { nodes } from './network.ts'
import { shopOf } from './orders.ts'
import { credentials } from './webhooks.ts'

export type OperationName = keyof typeof contract

export const operations = (Object.keys(contract) as OperationName[]).map((name) => {
  const { method, path, auth } = contract[name]
  return { name, method, path, auth }
})

const params: Readonly<Record<string, string>> = {
  channel: 'tmall',
  shop: shopOf.tmall,
  carrier: 'kuaidi100',
  account: 'chenfeng',
  source: 'generic',
  sku: 'example',
  node: 'east',
  orderId: '3705115058471999999',
  lineId: '3705115058471999970',
  id: '999999999',
}

const bodies: Readonly<Partial<Record<OperationName, unknown>>> = {
  putShop: { credentials: credentials.tmall, skuMap: { 'platform-1': 'example' } },
  putCarrierAccount: { credentials: { salt: 'salt-of-kuaidi100' } },
  putSku: { name: '示例', weightGrams: 500, storageClass: 'normal', warehouseOnly: false },
  putNode: {
    ...nodes.east,
    point: { lat: 30.25, lng: 120.12 },
    channels: ['tmall', 'jd', 'wechat'],
    regions: ['33'],
    priority: 1,
    preferenceFen: 5,
    handlingFen: 100,
    safetyStock: 0,
    freight: {
      bands: [
        { kmMax: 500, firstFen: 500, stepFen: 100 },
        { firstFen: 900, stepFen: 300 },
      ],
    },
  },
  patchShop: { skuMap: { 'platform-1': 'example', gone: null }, apiBaseUrl: null },
  patchCarrierAccount: { credentials: { salt: 'salt-of-kuaidi100' } },
  patchSku: { name: '示例', weightGrams: 500, storageClass: 'normal', warehouseOnly: false, bundle: null },
  patchNode: { name: '杭州仓', kind: 'warehouse', open: true, channels: null, regions: ['33'], freight: null },
  postStock: { ref: 'example', kind: 'add', lines: [{ sku: 'example', quantity: 1 }] },
  approveOrder: { actor: '王芳', note: '已确认' },
  releaseOrder: { note: '已确认' },
  resolveException: { as: 'done', actor: '王芳', note: '已处理' },
  assignException: { assignedTo: '王芳', note: '请跟进' },
  cancelOrder: { note: '已确认' },
  setLineUnits: { ship: 1, note: '已确认' },
  createReturn: {
    ...{ channel: 'tmall', shop: shopOf.tmall, orderId: '3705115058471999999', ref: 'example', kind: 'return' },
    ...{ lines: [{ sku: 'example', quantity: 1 }], refundFen: 100 },
  },
  agreeReturn: { note: '已确认' },
  refuseReturn: { note: '已确认' },
  withdrawReturn: { note: '已确认' },
  receiveReturn: { ref: 'example', node: 'east', lines: [{ sku: 'example', good: 1 }] },
  settleReturn: { note: '已确认' },
  receiveAtNode: { ref: 'example', lines: [{ sku: 'example', good: 1 }] },
  pullTasks: { limit: 1, leaseSeconds: 60, waitSeconds: 0 },
  acceptTask: { fence: 1 },
  shipTask: {
    fence: 1,
    packages: [{ carrier: 'SF', waybill: 'SF-example', lines: [{ sku: 'example', quantity: 1 }] }],
  },
  rejectTask: { fence: 1, reason: 'damaged', lines: [{ sku: 'example', quantity: 1 }] },
  correctParcelOfTask: { carrier: 'SF', waybill: 'SF-exampel', to: { carrier: 'SF', waybill: 'SF-example' } },
  voidParcelOfTask: { carrier: 'SF', waybill: 'SF-example', note: '未发出' },
  correctParcel: { carrier: 'SF', waybill: 'SF-exampel', to: { carrier: 'SF', waybill: 'SF-example' }, actor: '王芳' },
  voidParcel: { carrier: 'SF', waybill: 'SF-example', actor: '王芳', note: '未发出' },
  shippedOutside: { node: 'east', carrier: 'SF', waybill: 'SF-example', lines: [{ sku: 'example', quantity: 1 }] },
  extendTask: { fence: 1, leaseSeconds: 60 },
  interceptTask: { fence: 1 },
}

export interface Example {
  readonly method: string
  readonly path: string
  /** Undefined where the endpoint takes none. */
  readonly body: string | undefined
}

export function exampleOf(name: string, taskId = '999999-1'): Example {
  const { method, path } = contract[name as OperationName]
  const filled = path.replace(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(key === 'taskId' ? taskId : params[key]!),
  )
  const body = bodies[name as OperationName]
  const csv = 'ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt\n'
  return {
    method,
    path: name === 'getStock' ? `${filled}?sku=example` : filled,
    body: name === 'postBill' ? csv : body === undefined ? undefined : JSON.stringify(body),
  }
}
