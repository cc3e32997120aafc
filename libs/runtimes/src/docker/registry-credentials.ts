/**
 * Names and passwords for registries, where `docker login` of the runner's user has put them: `$DOCKER_CONFIG/config.json`, by default in
 * `~/.docker`, or the program that this file names for keeping them.
 *
 * Invariants:
 *  1. They are read when something is pulled: who logs in while the runner runs need not restart it. Nothing is kept.
 *  2. A registry is given its own alone. They go to the engine, and into no message.
 *  3. A file or program that cannot be understood is told, not passed over: a pull without the credentials would say something else.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { RuntimeFailure } from '../ports.js';
import { killGroup } from '../process/spawned.js';
import { isDockerHub } from './image-reference.js';

/** As the engine's API has them. */
export interface Credentials {
  username?: string;
  password?: string;
  identitytoken?: string;
  registrytoken?: string;
  serveraddress: string;
}

interface Entry {
  auth?: unknown;
  username?: unknown;
  password?: unknown;
  identitytoken?: unknown;
  registrytoken?: unknown;
}

const HUB = 'https://index.docker.io/v1/';
const FILE_BYTES = 1024 * 1024;
const HELPER_MS = 30_000;
const ANSWER_BYTES = 256 * 1024;

/** @param registry as in the image's name; undefined: Docker Hub. @throws RuntimeFailure IMAGE_PULL */
export async function credentialsFor(
  registry: string | undefined,
  directory = process.env['DOCKER_CONFIG'] || join(homedir(), '.docker'),
): Promise<Credentials | undefined> {
  const file = join(directory, 'config.json');
  const config = await readConfig(file);
  if (config === undefined) return undefined;
  const serveraddress = registry === undefined || isDockerHub(registry) ? HUB : registry;
  const helper = textOf(recordOf(config['credHelpers'])[serveraddress]) ?? textOf(config['credsStore']);
  if (helper !== undefined && helper !== '') {
    if (!/^[A-Za-z0-9._-]+$/.test(helper)) throw unusable(file, `'${helper.slice(0, 80)}' is no name of a credential helper`);
    const kept = await ask(`docker-credential-${helper}`, serveraddress);
    if (kept !== undefined) return kept;
  }
  const auths = recordOf(config['auths']);
  const key = serveraddress in auths ? serveraddress : Object.keys(auths).find((name) => hostOf(name) === hostOf(serveraddress));
  return key === undefined ? undefined : ofEntry(recordOf(auths[key]), serveraddress, file);
}

async function readConfig(file: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unusable(file, String(code));
  }
  if (text.length > FILE_BYTES) throw unusable(file, `it has more than ${FILE_BYTES} characters`);
  try {
    return recordOf(JSON.parse(text) as unknown);
  } catch {
    throw unusable(file, 'it is no JSON');
  }
}

function ofEntry(entry: Entry, serveraddress: string, file: string): Credentials | undefined {
  const [identitytoken, registrytoken] = [textOf(entry.identitytoken), textOf(entry.registrytoken)];
  if (registrytoken) return { registrytoken, serveraddress };
  const auth = textOf(entry.auth);
  if (auth !== undefined && auth !== '') {
    const pair = Buffer.from(auth, 'base64').toString('utf8').split('\0', 1)[0] ?? '';
    const colon = pair.indexOf(':');
    if (colon <= 0) throw unusable(file, `'auth' of ${serveraddress} is not a name and a password in base64`);
    const username = pair.slice(0, colon);
    return identitytoken ? { username, identitytoken, serveraddress } : { username, password: pair.slice(colon + 1), serveraddress };
  }
  const [username, password] = [textOf(entry.username), textOf(entry.password)];
  if (identitytoken) return { ...(username && { username }), identitytoken, serveraddress };
  // `docker login` leaves an empty entry where a helper has the rest.
  return username && password !== undefined ? { username, password, serveraddress } : undefined;
}

/** The protocol of docker-credential-helpers: an address on stdin, JSON on stdout. Undefined: it has none for that address. */
function ask(program: string, serveraddress: string): Promise<Credentials | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new RuntimeFailure('IMAGE_PULL', `cannot get credentials from ${program}: ${why}`, false));
    // In a group of its own, so that what it starts ends with it.
    const helper = spawn(program, ['get'], { env: process.env, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    const giveUp = (): void => {
      fail(`it did not answer within ${HELPER_MS / 1000} s and ${ANSWER_BYTES} characters`);
      helper.stdout.destroy();
      if (helper.pid !== undefined) killGroup(helper.pid);
    };
    const timer = setTimeout(giveUp, HELPER_MS);
    let said = '';
    helper.on('error', (error) => fail(String((error as { code?: unknown }).code ?? 'it cannot be started')));
    helper.stdin.on('error', () => undefined);
    helper.stdin.end(`${serveraddress}\n`);
    helper.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.length > ANSWER_BYTES) giveUp();
    });
    helper.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(ofAnswer(said, serveraddress, fail));
      // What helpers say of an address that they do not know, on stdout.
      if (/credentials not found/i.test(said)) return resolve(undefined);
      fail(`it ended with ${signal ?? code}`);
    });
  });
}

function ofAnswer(said: string, serveraddress: string, fail: (why: string) => void): Credentials | undefined {
  let answer: Record<string, unknown> = {};
  try {
    answer = recordOf(JSON.parse(said) as unknown);
  } catch {
    fail('its answer is no JSON');
  }
  const [username, secret] = [textOf(answer['Username']), textOf(answer['Secret'])];
  if (username === undefined || secret === undefined) return void fail('its answer has no Username and Secret');
  return username === '<token>' ? { identitytoken: secret, serveraddress } : { username, password: secret, serveraddress };
}

/** Old files have addresses where new ones have hosts. */
function hostOf(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function unusable(file: string, why: string): RuntimeFailure {
  return new RuntimeFailure('IMAGE_PULL', `the credentials in ${file} cannot be used: ${why}`, false);
}
