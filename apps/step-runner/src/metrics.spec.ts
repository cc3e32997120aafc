import { metricsText, TransferCounters } from './metrics.js';

const NOTHING = { cores: 0, ramBytes: 0, diskBytes: 0, gpus: 0 };

it('says how full the runner is, and what it moved', () => {
  const counters = new TransferCounters();
  counters.onTransfer('downloaded', 's3', 7);
  counters.onTransfer('downloaded', 's3', 5);
  const load = { capacity: { ...NOTHING, cores: 8 }, inUse: { ...NOTHING, cores: 3, ramBytes: 1024 }, admitted: 2, waiting: 1 };
  const lines = metricsText(counters, { hits: 1, misses: 2, evictions: 3, bytes: 4 }, load).split('\n');
  const expected = [
    'weft_runner_tasks{state="admitted"} 2',
    'weft_runner_tasks{state="waiting"} 1',
    'weft_runner_capacity_cores 8',
    'weft_runner_reserved_cores 3',
    'weft_runner_reserved_memory_bytes 1024',
    'weft_runner_downloaded_bytes_total{scheme="s3"} 12',
    'weft_runner_cache_hits_total 1',
    '# TYPE weft_runner_cache_bytes gauge',
  ];
  for (const line of expected) expect(lines).toContain(line);
});
