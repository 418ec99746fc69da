/** Signed trades that no platform means. */
import { line, trade } from './tmall.wrong.ts'
import type { ChannelCase } from './types.ts'

export const tmallNonsense: ChannelCase['nonsense'] = [
  {
    name: 'a presale without its step',
    order: trade({ type: 'step' }),
  },
  {
    name: 'negative quantity',
    order: line({ num: -1 }),
  },
  {
    name: 'no quantity',
    order: line({ num: 0 }),
  },
  {
    name: 'half a piece',
    order: line({ num: 1.5 }),
  },
  {
    name: 'a million and one pieces',
    order: line({ num: 1_000_001 }),
  },
  {
    name: 'quantity as an array',
    order: line({ num: [1] }),
  },
  {
    name: 'payment in words',
    order: trade({ payment: 'free' }),
  },
  {
    name: 'negative payment',
    order: trade({ payment: '-1.00' }),
  },
  {
    name: 'three decimals',
    order: trade({ payment: '1.005' }),
  },
  {
    name: 'more money than there is',
    order: trade({ payment: '99999999999.00' }),
  },
  {
    name: 'no payment',
    order: trade({ payment: undefined }),
  },
  {
    name: 'no lines',
    order: trade((copy) => {
      copy.orders.order = []
    }),
  },
  {
    name: 'lines that are an object',
    order: trade((copy) => {
      copy.orders.order = copy.orders.order[0]
    }),
  },
  {
    name: 'a line that is an array',
    order: trade((copy) => {
      copy.orders.order[0] = []
    }),
  },
  {
    name: 'two lines with one oid',
    order: trade((copy) => {
      copy.orders.order[1] = copy.orders.order[0]
    }),
  },
  {
    name: 'a time that is none',
    order: trade({ created: '2026-02-30 00:00:00' }),
  },
  {
    name: 'text that is an object',
    order: trade((copy) => {
      copy.receiver_name = { a: '张三' }
    }),
  },
]
