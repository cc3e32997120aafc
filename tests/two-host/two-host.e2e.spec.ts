/**
 * Two hosts that share nothing but a network and S3: one of them is cut off while its tasks are at work, and comes back.
 *
 * Invariants: tools write the word that their own host's gate gave them, so that an output tells whose it is.
 */
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { run } from '@weft/contracts';
import { Runs } from '../e2e/runs-client.js';
import { appears, Cluster } from './cluster.js';
import { describeWithNetwork } from './describe-with-network.js';
import type { Host } from './network.js';
import { RunTasks } from './run-tasks.js';

const TIMEOUT_MS = 600_000;
/** As many as the two runners have cores for together. */
const ITEMS = ['0', '1', '2', '3'];
const CORES = ITEMS.length / 2;

const tool = (script: string, more: object): object => ({
  class: 'CommandLineTool',
  requirements: { ResourceRequirement: { coresMin: 1 } },
  baseCommand: ['sh', '-c', script],
  arguments: ['$(inputs.item)', '$(inputs.folder)'],
  outputs: { file: 'stdout' },
  ...more,
});

/** Every task of the first two steps waits at a gate of the host that it is on. */
const WORKFLOW = {
  cwlVersion: 'v1.2',
  class: 'Workflow',
  requirements: { ScatterFeatureRequirement: {} },
  inputs: { items: 'string[]', folder: 'string' },
  outputs: { all: { type: 'File', outputSource: 'join/file' } },
  steps: {
    first: {
      scatter: 'item',
      in: { item: 'items', folder: 'folder' },
      out: ['file'],
      run: tool('read word < "$1/first-$0"; echo "$0 $word"; : > "$1/ended-$0"', { inputs: { item: 'string', folder: 'string' } }),
    },
    second: {
      scatter: ['item', 'before'],
      scatterMethod: 'dotproduct',
      in: { item: 'items', folder: 'folder', before: 'first/file' },
      out: ['file'],
      run: tool('read word < "$1/second-$0"; tr a-z A-Z', {
        inputs: { item: 'string', folder: 'string', before: 'File' },
        stdin: '$(inputs.before.path)',
      }),
    },
    join: {
      in: { files: 'second/file' },
      out: ['file'],
      run: {
        class: 'CommandLineTool',
        baseCommand: 'cat',
        inputs: { files: { type: 'File[]', inputBinding: {} } },
        stdout: 'all.txt',
        outputs: { file: 'stdout' },
      },
    },
  },
};
/** More than the sockets on the way take. */
const BIG_BYTES = 32 * 1024 * 1024;
/** Within the first part of an upload. */
const HELD_BYTES = 1024 * 1024;
const INPUTS = { item: 'string', folder: 'string' };
const RESULT = ITEMS.map((item) => `${item} SEEN\n`).join('');

/** The pipe keeps the word until a tool reads it. */
function open(host: Host, gate: string, word: string): void {
  writeSync(openSync(host.path(gate), 'r+'), `${word}\n`);
}

describeWithNetwork('two hosts', () => {
  let cluster: Cluster;
  let runs: Runs;
  beforeAll(async () => {
    cluster = await Cluster.start({ cores: CORES });
    runs = new Runs(cluster.gateway.address, cluster.gateway.token);
  }, TIMEOUT_MS);
  afterAll(async () => {
    runs.close();
    expect(await cluster.stop()).toEqual([0, 0, 0, 0, 0]);
  }, TIMEOUT_MS);

  it(
    'a host that is cut off is done without, and nothing of what it did meanwhile is seen',
    async () => {
      const { a, b } = cluster;
      for (const host of [a, b]) for (const item of ITEMS) for (const step of ['first', 'second']) cluster.gate(host, `${step}-${item}`);
      const runId = await runs.submit(WORKFLOW, { items: ITEMS, folder: a.directory });
      const tasks = new RunTasks(runs.watch(runId));

      const begun = await tasks.until(() => tasks.running('first'), ITEMS.length);
      const lost = begun.filter(({ runnerId }) => runnerId === b.name);
      expect(lost).toHaveLength(CORES);
      cluster.partition(b);
      for (const { index } of lost) open(b, `first-${index}`, 'lost');
      await Promise.all(lost.map(({ index }) => appears(b.path(`ended-${index}`))));
      for (const { index, runnerId } of begun) if (runnerId === a.name) open(a, `first-${index}`, 'seen');

      const retried = await tasks.until(
        () => tasks.running('first'),
        lost.length,
        (task) => task.attempt > 1,
      );
      expect(retried.map(({ index, runnerId }) => `${index} on ${runnerId}`).sort()).toEqual(
        lost.map(({ index }) => `${index} on a`).sort(),
      );
      cluster.heal(b);
      for (const { index } of lost) open(a, `first-${index}`, 'seen');

      // There is room for all of them only with the host that was lost.
      const again = await tasks.until(() => tasks.running('second'), ITEMS.length);
      expect(again.filter(({ runnerId }) => runnerId === b.name)).toHaveLength(CORES);
      for (const { index, runnerId } of again) open(runnerId === a.name ? a : b, `second-${index}`, 'go');

      const { status, failure, outputsJson } = await runs.end(runId);
      expect([status, failure]).toEqual([run.RunStatus.SUCCEEDED, undefined]);
      const { all } = JSON.parse(outputsJson) as { all: { checksum: string; location: string } };
      expect(all.checksum).toBe(`sha1$${createHash('sha1').update(RESULT).digest('hex')}`);
      expect(await cluster.read(all.location)).toBe(RESULT);

      const folders = new Set((await cluster.published(runId)).map((key) => key.split('/')[0]));
      expect([...folders].sort()).toEqual(
        tasks
          .succeeded()
          .map(({ taskId, attempt }) => `${taskId}.${attempt}`)
          .sort(),
      );
      await cluster.noSandboxLeft(b);
    },
    TIMEOUT_MS,
  );

  it(
    'nothing stays of what it was publishing when it was cut off',
    async () => {
      const { a, b, proxy } = cluster;
      for (const host of [a, b]) for (const item of ITEMS) cluster.gate(host, `big-${item}`);
      const script = `read word < "$1/big-$0"; head -c ${BIG_BYTES} /dev/zero`;
      const big = { scatter: 'item', in: { item: 'items', folder: 'folder' }, out: ['file'], run: tool(script, { inputs: INPUTS }) };
      const outputs = { all: { type: 'File[]', outputSource: 'big/file' } };
      const runId = await runs.submit({ ...WORKFLOW, outputs, steps: { big } }, { items: ITEMS, folder: a.directory });
      const tasks = new RunTasks(runs.watch(runId));
      const begun = await tasks.until(() => tasks.running('big'), ITEMS.length);
      const uploading = proxy.hold(HELD_BYTES);
      for (const { index, runnerId } of begun) open(runnerId === a.name ? a : b, `big-${index}`, 'go');
      await uploading;
      cluster.partition(b);
      const retried = await tasks.until(
        () => tasks.running('big'),
        CORES,
        (task) => task.attempt > 1,
      );
      for (const { index } of retried) open(a, `big-${index}`, 'go');
      expect((await runs.end(runId)).status).toBe(run.RunStatus.SUCCEEDED);
      cluster.heal(b);
      // Released, although the upload could not go on; and with it the upload.
      await cluster.noSandboxLeft(b);
      await proxy.goOn();
      const folders = new Set((await cluster.published(runId)).map((key) => key.split('/')[0]));
      expect([...folders].sort()).toEqual(
        tasks
          .succeeded()
          .map(({ taskId, attempt }) => `${taskId}.${attempt}`)
          .sort(),
      );
    },
    TIMEOUT_MS,
  );
});
