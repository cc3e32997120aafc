/** What the client makes of runs that are gone and of answers that no guide describes: it says so, and ends. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChaosClient, LostRun } from './client.js';
import { TooLong, within } from './limits.js';

let servers: Server[];
let problems: string[];
let client: ChaosClient;
/** What each gateway answers, by path; by default the run is unknown. */
let answer: (response: ServerResponse, gateway: number, path: string) => void;

beforeEach(async () => {
  problems = [];
  answer = (response) => response.writeHead(404).end('{"code":"NOT_FOUND"}');
  servers = [0, 1].map((gateway) => createServer((request, response) => answer(response, gateway, request.url ?? '')));
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  const gateways = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  client = new ChaosClient(
    gateways.map((address) => ({ rest: `http://${address}`, grpc: address })),
    { problem: (text) => problems.push(text) },
    new AbortController().signal,
  );
});
afterEach(async () => {
  client.close();
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
});

it.each<[string, () => Promise<unknown>]>([
  ['follows', () => client.follow('r-1', 0)],
  ['looks at', () => client.final('r-1', 1)],
  ['cancels', () => client.cancel('r-1', 0)],
  ['retries', () => client.retry('r-1', 0)],
  ['lists the tasks of', () => client.tasks('r-1', 0)],
])('who %s a run that no gateway knows hears that it is lost', async (_what, ask) => {
  await expect(ask()).rejects.toEqual(new LostRun('r-1'));
  expect(problems).toEqual([]);
});

it('a run that one gateway knows is not lost, and the other was wrong', async () => {
  let asked = 0;
  answer = (response) => {
    asked += 1;
    if (asked === 1) response.writeHead(404).end('{}');
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"run_id":"r-1","status":"succeeded"}');
  };
  expect(await client.final('r-1', 0)).toMatchObject({ status: 'succeeded' });
  expect(problems).toEqual(['run r-1 was said to be unknown (404), and is known']);
});

it('an answer that no guide describes is a problem once, and heard so often and no more', async () => {
  answer = (response) => response.writeHead(418).end('no');
  await expect(client.final('r-1', 0)).rejects.toThrow('418 no');
  expect(problems).toEqual(['look at r-1: /api/v1/runs/r-1: 418 no']);
});

it('a wait that is too long says what it was for', async () => {
  await expect(within(1, () => 'nothing', new Promise(() => undefined))).rejects.toEqual(new TooLong('waited 0.001 s for nothing'));
  expect(await within(60_000, 'it', Promise.resolve(1))).toBe(1);
});
