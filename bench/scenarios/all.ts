/** Every scenario, in the order in which a run has them: the steady rate first, since others are measured against it. */

import type { Scenario } from '../measured/scenario.ts'
import { backlog } from './backlog.ts'
import { baskets } from './baskets.ts'
import { burst } from './burst.ts'
import { hot } from './hot.ts'
import { latency } from './latency.ts'
import { mixed } from './mixed.ts'
import { nodes } from './nodes.ts'
import { processes } from './processes.ts'
import { steady } from './steady.ts'

export const scenarios: readonly Scenario[] = [steady, latency, burst, hot, nodes, baskets, backlog, mixed, processes]
