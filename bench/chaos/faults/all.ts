import type { Fault } from './fault.ts'
import { postgresFaults } from './postgres.ts'
import { redisFaults } from './redis.ts'
import { serviceFaults } from './service.ts'
import { wireFaults } from './wires.ts'

export const allFaults: readonly Fault[] = [...serviceFaults, ...redisFaults, ...postgresFaults, ...wireFaults]
