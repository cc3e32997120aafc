/** What the runner tells Prometheus: how full it is, and what it moved over networks. */
import { metricFamily, samplesBy } from '@weft/platform';
import type { OnTransfer } from '@weft/storage';
import type { Admission } from './admission/admission.js';
import type { InputCache } from './inputs/input-cache.js';

export class TransferCounters {
  readonly bytes = { downloaded: { s3: 0, http: 0 }, uploaded: { s3: 0, http: 0 } };

  readonly onTransfer: OnTransfer = (direction, scheme, bytes) => {
    this.bytes[direction][scheme] += bytes;
  };
}

type Load = ReturnType<Admission['report']>;

/** Prometheus' text format. */
export function metricsText({ bytes }: TransferCounters, cache: ReturnType<InputCache['report']>, load: Load): string {
  const total = (name: string, help: string, value: number): string => metricFamily(name, 'counter', help, [{ value }]);
  const tasks: [string, number][] = [
    ['admitted', load.admitted],
    ['waiting', load.waiting],
  ];
  return [
    metricFamily(
      'weft_runner_tasks',
      'gauge',
      'Tasks that hold a share of the runner, and tasks that wait for one.',
      samplesBy('state', tasks),
    ),
    ...amounts('capacity', 'What the runner has to give to tasks', load.capacity),
    ...amounts('reserved', 'What tasks hold of it', load.inUse),
    metricFamily(
      'weft_runner_downloaded_bytes_total',
      'counter',
      'Bytes of files that came from other hosts.',
      samplesBy('scheme', Object.entries(bytes.downloaded)),
    ),
    metricFamily('weft_runner_uploaded_bytes_total', 'counter', 'Bytes of files that went to other hosts.', [
      { labels: { scheme: 's3' }, value: bytes.uploaded.s3 },
    ]),
    total('weft_runner_cache_hits_total', 'Remote inputs that were in the cache.', cache.hits),
    total('weft_runner_cache_misses_total', 'Remote inputs that had to be fetched.', cache.misses),
    total('weft_runner_cache_evictions_total', 'Files and trees that made room for others.', cache.evictions),
    metricFamily('weft_runner_cache_bytes', 'gauge', 'Bytes that the cache keeps.', [{ value: cache.bytes }]),
  ].join('');
}

function amounts(of: string, help: string, { cores, ramBytes, diskBytes, gpus }: Load['capacity']): string[] {
  const gauge = (unit: string, value: number): string =>
    metricFamily(`weft_runner_${of}_${unit}`, 'gauge', `${help}: ${unit}.`, [{ value }]);
  return [gauge('cores', cores), gauge('memory_bytes', ramBytes), gauge('disk_bytes', diskBytes), gauge('gpus', gpus)];
}
