/**
 * Entry of the supervisor process (`weft __supervise`): detached, its own session, told everything by its environment.
 * Writes "listening", "taken" or "elsewhere" on stdout for the client that started it; everything else goes to its log.
 */
import { getPriority, setPriority } from 'node:os';
import { homeOf, withSandboxes } from '../home.js';
import { buildId, distDirectory, touchPrograms } from './build-copy.js';
import { placeOfThisProcess, placeWord } from './lock/place.js';
import { OWNED, ownerGone } from './owner.js';
import { findRedisServer, givenRedisUrl } from './redis.js';
import { supervise } from './supervisor.js';

export async function superviseMain(args: string[]): Promise<void> {
  // Its log may be a file on a disk that is full, or a pipe that nobody reads: neither is a reason to end.
  process.stderr.on('error', () => undefined);
  try {
    await superviseHome(args);
  } catch (error) {
    // The client shows the last line of this log.
    if (error instanceof Error && process.env['WEFT_DEBUG'] !== undefined) process.stderr.write(`${error.stack}\n`);
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

async function superviseHome(args: string[]): Promise<void> {
  const owner = args.includes(OWNED) ? ownerGone() : undefined;
  standAlone(owner === undefined);
  const home = homeOf();
  const sandboxes = valueOf(args, '--sandboxes') ?? home.sandboxes;
  const redisUrl = givenRedisUrl();
  touchPrograms(distDirectory());
  const outcome = await supervise(
    {
      home: sandboxes === home.sandboxes ? home : withSandboxes(home, sandboxes, process.env),
      version: buildId(),
      dist: distDirectory(),
      place: placeWord(placeOfThisProcess()),
      lingerMs: lingerMs(),
      owner,
      silentClaim: valueOf(args, '--follow'),
      environment: process.env,
      redisUrl,
      redisCommand: redisUrl === undefined ? findRedisServer() : undefined,
      // Loaded only when it is asked for: gRPC takes longer to load than the supervisor takes to start everything.
      runsFinished: async (address, signal) => (await import('./active-runs.js')).runsFinished(address, signal),
      anyRunActive: async (address) => (await import('./active-runs.js')).anyRunActive(address),
    },
    () => tell('listening'),
  );
  if (outcome === 'taken' || outcome === 'elsewhere') tell(outcome);
  process.exit(outcome === 'failed' ? 1 : 0);
}

function valueOf(args: string[], name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Nothing but the environment that it was given is left of the shell that started the stack (environment.ts, launch.ts). */
function standAlone(forAll: boolean): void {
  process.umask(0o022);
  try {
    if (forAll && getPriority() > 0) setPriority(0);
  } catch {
    // Only root may: the services stay as nice as the first caller was.
  }
}

/** The client may be gone already. */
function tell(word: string): void {
  process.stdout.on('error', () => undefined);
  process.stdout.write(`${word}\n`);
}

function lingerMs(): number {
  const seconds = Number(process.env['WEFT_LINGER_S'] ?? '5');
  if (!Number.isFinite(seconds) || seconds < 0)
    throw new Error(`WEFT_LINGER_S must be a number of seconds, not "${process.env['WEFT_LINGER_S']}"`);
  return seconds * 1000;
}
