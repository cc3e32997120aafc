/** The gateway's own metrics: request durations by route and status, runs submitted, and the process. */
import type { Counter, Histogram } from 'prom-client';
import { createMetrics, type Metrics } from '@weft/platform';

const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

export class GatewayMetrics {
  private readonly metrics: Metrics = createMetrics({ processMetrics: true });

  readonly requestSeconds: Histogram<'method' | 'route' | 'status'> = this.metrics.histogram(
    'weft_http_request_duration_seconds',
    'Time from request to the end of its answer; streams count until they end',
    ['method', 'route', 'status'] as const,
    DURATION_BUCKETS_SECONDS,
  );

  readonly runsSubmitted: Counter<'dialect'> = this.metrics.counter(
    'weft_runs_submitted_total',
    'Runs accepted by the scheduler, by the interface they came in by; repeats of an idempotency key do not count',
    ['dialect'] as const,
  );

  scrape(): Promise<{ contentType: string; body: string }> {
    return this.metrics.scrape();
  }
}
