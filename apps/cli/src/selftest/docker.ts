/** A Docker engine for the checks: the one that answers, else Debian's, installed and started for the time of the checks. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, openSync, readFileSync, watch } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { findInPath } from '../stack/programs.js';
import { aptInstall } from './debian.js';
import { makeImages } from './images.js';

export interface DockerEngine {
  /** Why there is none; undefined where one answers. */
  unavailable?: string;
  stop(): Promise<void>;
}

const SOCKET = '/var/run/docker.sock';
/** After this long the engine is taken to hang. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;
const ASK_LIMIT_MS = 60_000;

/** `images`: directory of scripts that make the images the checks need; each is idempotent. */
export async function ensureDocker(images: string, scratch: string, say: (line: string) => void): Promise<DockerEngine> {
  const started = answers() ? undefined : await startEngine(scratch, say);
  if (started !== undefined && typeof started !== 'object') return { unavailable: started, stop: async () => undefined };
  const stop = async (): Promise<void> => {
    if (started === undefined) return;
    const ended = new Promise((resolve) => started.once('exit', resolve));
    started.kill('SIGTERM');
    // It stops its containers first; one that does not end is not waited for for ever.
    const limit = setTimeout(() => started.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  };
  const problem = makeImages(images, say);
  if (problem !== undefined) {
    await stop();
    return { unavailable: problem, stop: async () => undefined };
  }
  return { stop };
}

/** Containers that tests left behind: those which have something below `folder` mounted. */
export function removeContainersOf(folder: string, say: (line: string) => void): void {
  const ask = (...args: string[]): string => spawnSync('docker', args, { encoding: 'utf8', timeout: ASK_LIMIT_MS }).stdout ?? '';
  const ids = ask('ps', '--all', '--quiet', '--no-trunc').split('\n').filter(Boolean);
  if (ids.length === 0) return;
  const mounts = ask('inspect', '--format', '{{.Id}}{{range .Mounts}}|{{.Source}}{{end}}', ...ids).split('\n');
  const left = mounts.map((line) => line.split('|')).filter(([, ...sources]) => sources.some((source) => source.startsWith(`${folder}/`)));
  if (left.length === 0) return;
  say(`removing ${left.length} containers that tests left`);
  ask('rm', '--force', ...left.map(([id = '']) => id));
}

function answers(): boolean {
  const docker = findInPath(['docker']);
  return docker !== undefined && spawnSync(docker, ['info'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** The running engine, or why there is none. */
async function startEngine(scratch: string, say: (line: string) => void): Promise<ChildProcess | string> {
  if (process.getuid?.() !== 0) return 'no Docker engine answers, and only root can start one';
  if (findInPath(['dockerd']) === undefined) {
    say('installing docker.io (Debian package, once)');
    if (!aptInstall('docker.io', 'iptables')) return 'apt-get could not install docker.io';
  }
  const dockerd = findInPath(['dockerd']);
  if (dockerd === undefined) return 'docker.io is installed, but there is no dockerd in PATH';
  say('starting dockerd for the checks');
  const log = join(scratch, 'dockerd.log');
  const fd = openSync(log, 'a');
  const engine = spawn(dockerd, [], { stdio: ['ignore', fd, fd], detached: true });
  return (await becomesReady(engine)) ? engine : `dockerd did not start:\n${readFileSync(log, 'utf8').split('\n').slice(-10).join('\n')}`;
}

/**
 * Woken by the engine's socket appearing, or by its end. The engine listens before it is set up and answers what was asked
 * meanwhile once it is, so that one request suffices; a refused one waits for the next event.
 */
function becomesReady(engine: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let asking: ReturnType<typeof get> | undefined;
    const settle = (ready: boolean): void => {
      watcher.close();
      clearTimeout(limit);
      asking?.destroy();
      resolve(ready);
    };
    const ask = (): void => {
      if (asking !== undefined || !existsSync(SOCKET)) return;
      asking = get({ socketPath: SOCKET, path: '/_ping' }, (response) => {
        response.resume();
        response.on('end', () => {
          asking = undefined;
          if (response.statusCode === 200) settle(true);
        });
      });
      asking.on('error', () => (asking = undefined));
    };
    const watcher = watch(dirname(SOCKET), ask);
    const limit = setTimeout(() => settle(false), START_LIMIT_MS);
    engine.once('exit', () => settle(false));
    engine.once('error', () => settle(false));
    ask();
  });
}
