/** A thread that runs the stretches it is given. Its memory says at every moment which input it is at. */
import { parentPort, workerData } from 'node:worker_threads'
import { runStretch, type Stretch } from './stretch.ts'
import { targets } from './targets.ts'

export interface Order extends Stretch {
  readonly target: string
}

// Half of all inputs end in a documented error, and its stack is not used: a short one is cheaper.
Error.stackTraceLimit = 4

/** [index of the input under way]: a double holds every index exactly. */
const place = new Float64Array(workerData as SharedArrayBuffer)

parentPort?.on('message', (order: Order) => {
  const target = targets.find((each) => each.name === order.target)!
  void runStretch(target, order, (index) => {
    place[0] = index
  }).then((done) => parentPort!.postMessage(done))
})
