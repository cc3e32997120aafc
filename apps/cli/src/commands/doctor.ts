/** `weft doctor`: what weft needs on this machine, what is there, and what to do about what is not. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs';
import pc from 'picocolors';
import { homeOf, socketPath } from '../home.js';
import { refuseForeignHome } from '../home-owner.js';
import { homeUsage } from '../housekeeping/home-usage.js';
import { humanSize } from '../housekeeping/units.js';
import { patiently } from '../stack/patience.js';
import { GATEWAY_LISTENS, isFree } from '../stack/ports.js';
import { findInPath } from '../stack/programs.js';
import { findRedisServer, givenRedisUrl } from '../stack/redis.js';
import { runCounts } from '../stack/run-counts.js';
import { containment } from './doctor-containment.js';
import { type Finding, type StackSeen, lookAtStack, stackFindings } from './doctor-stack.js';

const GIB = 1024 ** 3;
/** Longer than this nobody waits to hear how much there is. */
const COUNT_MS = 3_000;
/** Milliseconds for Redis to say how many runs there are. */
const ANSWER_MS = 10_000;

const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

export async function doctorCommand(options: { json?: boolean }): Promise<void> {
  const seen = await lookAtStack(homeOf());
  const findings = [
    ...[node(), redis(), docker(), ...(await ports(seen)), home(), sandboxes(), disk(), python(), await containment()],
    ...(await stackFindings(seen)),
    ...(await runs(seen)),
    await holds(),
  ];
  if (options.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else for (const finding of findings) process.stdout.write(line(finding));
  // What was asked and has not answered must not hold up the end.
  process.exit(findings.some(({ ok, optional }) => !ok && !optional) ? 1 : 0);
}

function line({ what, ok, optional, found, advice }: Finding): string {
  const mark = ok ? pc.green('✓') : optional ? pc.yellow('✗') : pc.red('✗');
  return `${mark} ${what.padEnd(10)} ${found}${ok || advice === undefined ? '' : `\n             → ${advice}`}\n`;
}

function node(): Finding {
  const ok = Number(process.versions.node.split('.')[0]) >= 20;
  return { what: 'Node.js', ok, found: `${process.version} (${process.execPath})`, advice: 'install Node.js 20 or newer' };
}

function redis(): Finding {
  const url = givenRedisUrl();
  if (url !== undefined) return { what: 'Redis', ok: true, found: `yours, at ${url.replace(/\/\/[^@/]*@/, '//…@')}` };
  const program = findRedisServer();
  if (program === undefined)
    return {
      what: 'Redis',
      ok: false,
      found: 'no redis-server or valkey-server',
      advice: 'apt-get install redis-server, or set REDIS_URL',
    };
  return { what: 'Redis', ok: true, found: firstLine(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout) };
}

function docker(): Finding {
  const what = 'Docker';
  const program = findInPath(['docker']);
  if (program === undefined) {
    return {
      what,
      ok: false,
      optional: true,
      found: 'no docker command',
      advice: 'apt-get install docker.io; tools without DockerRequirement run without it',
    };
  }
  const answer = spawnSync(program, ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8', timeout: 10_000 });
  if (answer.status === 0) return { what, ok: true, found: `engine ${answer.stdout.trim()} answers` };
  const denied = /permission denied/i.test(answer.stderr);
  const advice = denied
    ? 'add yourself to its group: sudo usermod -aG docker "$USER", then log in again'
    : 'start it: sudo systemctl start docker (or run dockerd as root)';
  return { what, ok: false, optional: true, found: denied ? 'the engine may not be used by this user' : 'no engine answers', advice };
}

async function ports({ running }: StackSeen): Promise<Finding[]> {
  const up = running?.services['gateway']?.state === 'ready';
  return Promise.all(
    GATEWAY_LISTENS.map(async ({ variable, fallback }): Promise<Finding> => {
      const listen = process.env[variable] || fallback;
      const free = up || (await isFree(listen));
      const found = up ? `${listen} is used by weft` : free ? `${listen} is free` : `${listen} is taken`;
      return { what: 'port', ok: free, optional: true, found, advice: `set ${variable} to another address; \`weft run\` needs none` };
    }),
  );
}

/** What the home takes, as far as it can be counted in a moment. */
async function holds(): Promise<Finding> {
  const what = 'takes';
  const tooLong = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), COUNT_MS).unref());
  const usage = await Promise.race([homeUsage(homeOf()), tooLong]);
  if (usage === undefined) return { what, ok: true, found: `more files than can be counted in ${COUNT_MS / 1000} s: weft du` };
  const [largest] = [...usage.parts].sort((a, b) => b.bytes - a.bytes);
  const most = largest && largest.bytes > 0 ? `, most of it ${largest.name}` : '';
  return { what, ok: true, found: `${humanSize(usage.bytes)}${most} (weft du; weft prune frees room)` };
}

function home(): Finding {
  const { root } = homeOf();
  try {
    refuseForeignHome({ root });
    mkdirSync(root, { recursive: true, mode: 0o700 });
    accessSync(root, constants.W_OK | constants.X_OK);
    return { what: 'WEFT_HOME', ok: true, found: root };
  } catch (error) {
    return { what: 'WEFT_HOME', ok: false, found: (error as Error).message, advice: 'set WEFT_HOME to a directory that you may write' };
  }
}

/** People write `path.split('.')[0]`, in documents and in tools. */
function sandboxes(): Finding {
  const { sandboxes: found } = homeOf();
  const advice = `the path has a dot, at which scripts split names: set WEFT_SANDBOX_ROOT to a directory without, on the file system of the results`;
  return { what: 'sandboxes', ok: !found.includes('.'), optional: true, found, advice };
}

function disk(): Finding {
  const { root } = homeOf();
  try {
    const { bavail, bsize } = statfsSync(root);
    const free = (bavail * bsize) / GIB;
    return {
      what: 'disk',
      ok: free >= 1,
      found: `${free.toFixed(1)} GiB free at ${root}`,
      advice: 'outputs and sandboxes are kept there: make room or move WEFT_HOME',
    };
  } catch (error) {
    return { what: 'disk', ok: false, found: (error as Error).message, advice: 'see WEFT_HOME' };
  }
}

function python(): Finding {
  const what = 'Python';
  const program = findInPath(['python3']);
  const advice = 'only active learning without Docker needs it: apt-get install python3 python3-venv';
  if (program === undefined) return { what, ok: false, optional: true, found: 'no python3', advice };
  return { what, ok: true, found: firstLine(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout) };
}

/** Where finished runs are, as far as there is a Redis to ask. */
async function runs({ running, home }: StackSeen): Promise<Finding[]> {
  const ours = running === undefined ? undefined : `unix:${socketPath(home, 'redis')}`;
  const url = givenRedisUrl() ?? ours;
  if (url === undefined) return [];
  const what = 'runs';
  try {
    const { active, ended, archived, archivedBytes } = await patiently(runCounts(url), {
      limitMs: ANSWER_MS,
      say,
      what: () => 'Redis to answer',
    });
    const size = archived === 0 ? '' : ` (${(archivedBytes / 1024 ** 2).toFixed(1)} MiB)`;
    return [{ what, ok: true, found: `${active} active and ${ended} finished in Redis, ${archived} in the archive${size}` }];
  } catch (error) {
    return [{ what, ok: false, optional: true, found: `Redis does not answer: ${(error as Error).message}`, advice: 'see WEFT_REDIS_URL' }];
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
