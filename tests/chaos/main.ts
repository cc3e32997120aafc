/** Entry of `npm run chaos`: arguments, the report in words, the exit code. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { type ChaosOptions, type ChaosReport, chaos } from './chaos.js';
import { SHORT, SLOW_DISK, type SlowDisk } from './schedule.js';
import { slowDiskUnavailable } from './slow-disk.js';

const USAGE = `npm run chaos -- [--short] [--minutes N] [--seed S] [--pace ENTRIES] [--hands N] [--slow-disk never|sometimes|mostly] [--redis-kills N] [--no-docker] [--keep] [--report FILE]`;

/** Minutes; such a test ends by itself. */
const LONGEST_OF_KILLS = 10;

async function main(dist: string, args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      short: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      pace: { type: 'string', default: '25' },
      hands: { type: 'string', default: '5' },
      'slow-disk': { type: 'string', default: 'sometimes' },
      'redis-kills': { type: 'string' },
      'no-docker': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      report: { type: 'string' },
    },
  });
  const number = (name: 'minutes' | 'seed' | 'pace' | 'hands' | 'redis-kills'): number => {
    const value = Number(values[name]);
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} must be a number, not '${values[name]}'\n${USAGE}`);
    return value;
  };
  const slowDisk = values['slow-disk'];
  if (!isSlowDisk(slowDisk)) throw new Error(`--slow-disk must be ${Object.keys(SLOW_DISK).join(', ')}, not '${slowDisk}'\n${USAGE}`);
  const began = Date.now();
  const say = (line: string): void => void process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} ${line}\n`);
  const docker = !values['no-docker'] && spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0;
  if (!docker) say('without containers: no Docker engine answers, or none is wanted');
  const asked = { minutes: number('minutes'), seed: number('seed'), pace: number('pace'), hands: number('hands'), slowDisk };
  const kills = values['redis-kills'] === undefined ? undefined : number('redis-kills');
  const options = {
    ...asked,
    ...(values.short && SHORT),
    ...(kills !== undefined && { redisKills: kills, minutes: asked.minutes < LONGEST_OF_KILLS ? LONGEST_OF_KILLS : asked.minutes }),
  };
  const fast = options.slowDisk === 'never' ? undefined : slowDiskUnavailable();
  if (fast !== undefined) {
    if (options.slowDisk === 'mostly' || kills !== undefined) throw new Error(`no slow disk: ${fast}`);
    say(`without a slow disk: ${fast}`);
    options.slowDisk = 'never';
  }
  const report = await chaos({ ...options, docker, dist, keep: values.keep, say });
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report));
  say('judged');
  print(report, options);
  return report.verdicts.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

function isSlowDisk(text: string): text is SlowDisk {
  return Object.hasOwn(SLOW_DISK, text);
}

function print(report: ChaosReport, options: Omit<ChaosOptions, 'docker' | 'dist' | 'keep' | 'say'>): void {
  const { minutes, seed, pace, hands, slowDisk, redisKills: kills } = options;
  const lines = report.verdicts.flatMap(({ name, problems }) => [
    `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${name}`,
    ...problems.slice(0, 10).map((problem) => `         ${problem}`),
    ...(problems.length > 10 ? [`         and ${problems.length - 10} more`] : []),
  ]);
  const ends = Object.entries(report.ends).map(([end, count]) => `${count} ${end}`);
  lines.push(
    `seed ${report.seed}: ${report.disturbances.length} disturbances, ${report.runs} runs (${ends.join(', ')}), ${report.retried} retried (${report.late} too late), ` +
      `${report.submittedAgain} submitted again, ${report.reused} tasks not executed because their results were known, ` +
      `${report.entries} log entries, ${report.callsRepeated} calls repeated, ${report.streamsResumed} streams resumed`,
  );
  if (report.verdicts.some(({ problems }) => problems.length > 0)) {
    lines.push('what was done:');
    for (const { n, what, entry, atMs, remark } of report.disturbances)
      lines.push(`  #${n} ${(atMs / 1000).toFixed(1)} s, entry ${entry}: ${what}${remark && ` (${remark})`}`);
    lines.push(
      `again: npm run chaos -- --minutes ${minutes} --seed ${seed} --pace ${pace} --hands ${hands} --slow-disk ${slowDisk}${kills === undefined ? '' : ` --redis-kills ${kills}`}`,
      `logs: ${report.folder}`,
    );
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]));
const [dist = '', ...args] = process.argv.slice(2);
main(dist, args).then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
