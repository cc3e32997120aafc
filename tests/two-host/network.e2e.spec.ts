import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithNetwork } from './describe-with-network.js';
import { type Host, Network } from './network.js';

describeWithNetwork('hosts of a test', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-hosts-'));
  let network: Network;
  let [a, b]: Host[] = [];
  beforeAll(async () => {
    network = await Network.create(directory);
    [a, b] = [await network.addHost('a'), await network.addHost('b')];
  });
  afterAll(async () => {
    await network.close();
    expect(readdirSync(directory)).toEqual([]);
    expect(Object.keys(networkInterfaces())).not.toContain(`weft${process.pid}`);
    rmSync(directory, { recursive: true });
  });

  const on = (host: Host, ...words: string[]): string => {
    const [command = '', ...args] = [...host.within, ...words];
    return spawnSync(command, args, { encoding: 'utf8' }).stdout.trim();
  };

  /** Nobody listens: a host that can be reached says so itself; of one that cannot, the kernel says it after three questions. */
  const call = (from: Host, to: Host): string =>
    on(from, 'bash', '-c', `(exec 3<>/dev/tcp/${to.address}/7) 2>&1 | sed -n 's/.*: //p' | head -n 1`);

  it('reach each other while their cables are in', () => {
    expect(call(a!, b!)).toBe('Connection refused');
    network.partition(b!);
    on(a!, 'ip', 'neighbour', 'flush', 'all');
    expect(call(a!, b!)).toBe('No route to host');
    network.heal(b!);
    expect(call(a!, b!)).toBe('Connection refused');
    expect(call(b!, a!)).toBe('Connection refused');
  });

  it('share no files', () => {
    writeFileSync(a!.path('mine'), 'of a');
    expect(on(a!, 'cat', join(directory, 'mine'))).toBe('of a');
    expect(on(b!, 'ls', directory)).toBe('');
  });
});
