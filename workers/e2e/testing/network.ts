/** For tests: a network small enough to know by heart. Goods lie only where a test puts them. */
export interface TestNode {
  readonly name: string
  readonly kind: 'warehouse' | 'store'
  readonly adcode: string
  readonly apiKey: string
}

export const nodes = {
  north: { name: '北京仓', kind: 'warehouse', adcode: '110105', apiKey: 'key-of-north-warehouse' },
  east: { name: '杭州仓', kind: 'warehouse', adcode: '330106', apiKey: 'key-of-east-warehouse' },
  south: { name: '广州仓', kind: 'warehouse', adcode: '440106', apiKey: 'key-of-south-warehouse' },
  store: { name: '武林广场店', kind: 'store', adcode: '330105', apiKey: 'key-of-the-hangzhou-store' },
} as const satisfies Record<string, TestNode>

export type NodeName = keyof typeof nodes
export const nodeNames = Object.keys(nodes) as NodeName[]
