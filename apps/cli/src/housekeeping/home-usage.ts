/** What a home holds, by what it is for. */
import { withoutEndSlashes } from '@weft/plan';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Home, hostsDirectory } from '../home.js';
import { privateDirectory } from '../stack/private-states.js';
import { Measure, type Taken } from './measure.js';

export interface Usage extends Taken {
  name: string;
  path: string;
  what: string;
}

export interface HomeUsage {
  home: string;
  parts: Usage[];
  bytes: number;
  /** Where results are, if they are not on this machine. */
  elsewhere?: string;
  unread: number;
}

const LOGS = 'logs';

/** Of a file system on which results are; undefined where they are in a bucket. */
export function dataDirectory(home: Home): string | undefined {
  return home.dataUri.startsWith('file:') ? withoutEndSlashes(fileURLToPath(home.dataUri)) : undefined;
}

export async function homeUsage(home: Home): Promise<HomeUsage> {
  const measure = new Measure();
  const parts: Usage[] = [];
  const add = async (name: string, what: string, path: string, except?: string[]): Promise<void> => {
    parts.push({ name, what, path, ...(await measure.of(path, except)) });
  };
  const data = dataDirectory(home);
  if (data !== undefined) {
    const runs = join(data, 'runs');
    parts.push({
      name: 'results',
      what: 'what runs have published: weft rm, weft prune',
      path: runs,
      ...(await ofRuns(measure, runs, false)),
    });
    parts.push({ name: 'task logs', what: 'whole logs of tasks: weft prune --logs', path: runs, ...(await ofRuns(measure, runs, true)) });
    await add('call cache', 'results that only the cache keeps: weft prune --cache', join(data, 'cache'));
    await add('archive', 'records of runs that left Redis: weft rm, weft prune', join(data, 'archive'));
    await add('trash', 'on its way out', join(data, '.trash'));
  }
  await add('sandboxes', 'working directories of tasks', home.sandboxes, ['.cache']);
  await add('input cache', 'inputs from other hosts: WEFT_CACHE_MIB', home.cache);
  await add('redis', 'records of runs, the queue', home.redis);
  await add('service logs', 'rotated as they grow', home.logs);
  await add('programs', 'copies of weft that stacks run', home.programs);
  await add('private stacks', 'states of batch jobs and --private: weft ls names them', privateDirectory(home));
  await add('other hosts', 'their own states', hostsDirectory(home));
  const known = [...parts.map(({ path }) => path), ...(data === undefined ? [] : [data])];
  const rest = await ofRest(measure, home.root, known);
  if (rest.bytes > 0) parts.push({ name: 'other', what: '', path: home.root, ...rest });
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return { home: home.root, parts, bytes, unread: measure.unread, ...(data === undefined && { elsewhere: home.dataUri }) };
}

/** Bytes of each run that has published anything, as they would be free without it: what other runs share with it does not count. */
export async function sizesOfRuns(data: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await names(join(data, 'runs'))) sizes.set(name, (await new Measure().of(join(data, 'runs', name))).bytes);
  return sizes;
}

async function ofRuns(measure: Measure, runs: string, logs: boolean): Promise<Taken> {
  const sum = { bytes: 0, files: 0 };
  for (const name of await names(runs)) {
    const taken = logs ? await measure.of(join(runs, name, LOGS)) : await measure.of(join(runs, name), [LOGS]);
    sum.bytes += taken.bytes;
    sum.files += taken.files;
  }
  return sum;
}

async function ofRest(measure: Measure, root: string, known: readonly string[]): Promise<Taken> {
  const sum = { bytes: 0, files: 0 };
  for (const name of await names(root)) {
    const path = join(root, name);
    if (known.some((one) => one === path || dirname(one) === path)) continue;
    const taken = await measure.of(path);
    sum.bytes += taken.bytes;
    sum.files += taken.files;
  }
  return sum;
}

async function names(path: string): Promise<string[]> {
  return (await readdir(path).catch(() => [])).sort();
}
