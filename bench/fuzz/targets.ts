/** Everything that is fed in this process. Loaded in every thread. */
import type { Target } from './target.ts'
import { addressTargets } from './targets/addresses.ts'
import { brainTargets } from './targets/brain.ts'
import { contractTargets } from './targets/contract.ts'
import { formatTargets } from './targets/formats.ts'
import { paperTargets } from './targets/papers.ts'
import { platformTargets } from './targets/platforms.ts'
import { sourcingTargets } from './targets/sourcing.ts'
import { wechatTargets } from './targets/wechat.ts'

export const targets: readonly Target[] = [
  ...platformTargets,
  ...wechatTargets,
  ...formatTargets,
  ...paperTargets,
  ...addressTargets,
  ...brainTargets,
  ...sourcingTargets,
  ...contractTargets,
]
