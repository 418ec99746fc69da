/** What operations watch, in Prometheus' text format. Labels hold names of ours, never an id or a person. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What is read when a scrape asks: numbers of the parts that are made after the metrics. */
export interface Watched {
  /** Committed events that are queued or being decided. */
  readonly inMemory: () => number
  /** Events that wait for their commit. */
  readonly waiting: () => number
  /** Batches in the threads. */
  readonly batches: () => number
}

export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'paidan_' })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `paidan_${name}`, help, labelNames, registers: [registry] })
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[] = [], buckets = seconds) =>
    new Histogram({ name: `paidan_${name}`, help, labelNames, buckets, registers: [registry] })
  const gauge = (name: string, help: string, read?: () => number) =>
    new Gauge({
      name: `paidan_${name}`,
      help,
      registers: [registry],
      ...(read === undefined
        ? {}
        : {
            collect() {
              this.set(read())
            },
          }),
    })
  const stage = counter('stage_seconds_total', 'Time of batches in the threads, by stage', ['stage'])
  return {
    registry,
    watch({ inMemory, waiting, batches }: Watched) {
      gauge('events_in_memory', 'Committed events that are queued or being decided in this process', inMemory)
      gauge('intake_waiting', 'Events that wait for their commit, not yet acknowledged', waiting)
      gauge('batches_running', 'Batches in the threads', batches)
    },
    webhooks: counter('webhooks_total', 'Webhooks by what became of them', ['channel', 'outcome']),
    ack: histogram('ack_seconds', 'From the whole webhook received to its answer', ['channel']),
    intakeRows: histogram('intake_batch_rows', 'Events a commit', [], [1, 4, 16, 64, 256, 1000]),
    intakeCommit: histogram('intake_commit_seconds', 'One commit of the inbox, with its fsync'),
    decided: counter('events_decided_total', 'Events decided, by the state that they led to', ['outcome']),
    decision: histogram('event_decision_seconds', 'From the stored event to its committed decision'),
    stage,
    /** Milliseconds of a batch by stage. */
    stages(times: object) {
      for (const [name, ms] of Object.entries(times)) stage.inc({ stage: name }, (ms as number) / 1000)
    },
    batches: counter('batches_total', 'Batches decided'),
    refusals: counter('reservations_refused_total', 'Parcels that Redis refused: planned again'),
    problems: counter('batch_problems_total', 'Batches that Postgres refused', ['problem']),
    postponed: counter('events_postponed_total', 'Events put aside, by whether that passes by itself', ['passing']),
    fetches: counter('order_fetches_total', 'Orders fetched after a notification', ['outcome']),
    pending: gauge('pending_events', 'Undecided events in the database'),
    drift: gauge('stock_drift_units', 'Units by which Redis and Postgres differed, twice in the same way'),
    drifts: counter('stock_drifts_total', 'Times that a wrong counter made all of them be loaded anew'),
    sweep: histogram('sweep_seconds', 'Parts of the sweep', ['part']),
    epoch: gauge('stock_epoch', 'The stock epoch'),
    mended: counter('reservations_mended_total', 'In-flight reservations that the sweep ended', ['how']),
    http: histogram('http_seconds', 'API answers', ['method', 'path', 'status']),
    reconciled: counter('orders_reconciled_total', 'Orders by what reconciliation made of them', ['result']),
  }
}
