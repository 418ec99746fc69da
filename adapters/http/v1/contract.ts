/** The v1 contract in one table: what is served under /v1 is exactly this. */
import { postBill } from './bills.ts'
import { assignException, listExceptions, listWriteOffs, resolveException } from './exceptions.ts'
import { setLineUnits } from './lines.ts'
import { getNode, listNodes, patchNode, putNode } from './nodes.ts'
import { approveOrder, cancelOrder, getOrder, listOrders, releaseOrder } from './orders.ts'
import { correctParcel, correctParcelOfTask, shippedOutside, voidParcel, voidParcelOfTask } from './parcels.ts'
import {
  agreeReturn,
  createReturn,
  getReturn,
  listNodeReturns,
  listReturns,
  receiveAtNode,
  receiveReturn,
  refuseReturn,
  settleReturn,
  withdrawReturn,
} from './returns.ts'
import {
  getCarrierAccount,
  getShop,
  listCarrierAccounts,
  listShops,
  patchCarrierAccount,
  patchShop,
  putCarrierAccount,
  putShop,
} from './shops.ts'
import { getSku, listSkus, patchSku, putSku } from './skus.ts'
import { getStock, postStock } from './stock.ts'
import { acceptTask, extendTask, interceptTask, pullTasks, rejectTask, shipTask } from './tasks.ts'

export const contract = {
  putShop,
  patchShop,
  getShop,
  listShops,
  putCarrierAccount,
  patchCarrierAccount,
  getCarrierAccount,
  listCarrierAccounts,
  putSku,
  patchSku,
  getSku,
  listSkus,
  putNode,
  patchNode,
  getNode,
  listNodes,
  postStock,
  getStock,
  getOrder,
  listOrders,
  approveOrder,
  releaseOrder,
  cancelOrder,
  setLineUnits,
  postBill,
  listExceptions,
  resolveException,
  assignException,
  listWriteOffs,
  createReturn,
  listReturns,
  getReturn,
  agreeReturn,
  refuseReturn,
  withdrawReturn,
  receiveReturn,
  settleReturn,
  listNodeReturns,
  receiveAtNode,
  pullTasks,
  acceptTask,
  shipTask,
  rejectTask,
  extendTask,
  interceptTask,
  correctParcelOfTask,
  voidParcelOfTask,
  correctParcel,
  voidParcel,
  shippedOutside,
}
