/**
 * Hosts of a test's own on one machine: each has network interfaces, addresses and a file system that no other sees, joined by a switch
 * whose cables can be pulled.
 *
 * Invariants:
 *  1. A host is a network and a mount namespace held by one process that ends with the test: whatever happens, nothing stays behind.
 *  2. The only trace in the machine's own network is one interface, the test's place at the switch; it goes with the switch.
 *  3. A pulled cable is silence: packets are dropped, nobody is told.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Addresses kept for tests of network devices (RFC 2544): no real host has one. */
const NETWORK = '198.18';
/** The test's own place at the switch. */
const OWN_NUMBER = 254;

/** What keeps this machine from having such hosts; undefined where nothing does. */
export function networkUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root (network and mount namespaces)';
  for (const program of ['ip', 'nsenter', 'unshare']) {
    if (spawnSync(program, ['-V'], { stdio: 'ignore' }).error) return `needs '${program}' (Debian packages iproute2, util-linux)`;
  }
  const tried = spawnSync('unshare', ['--net', '--mount', 'ip', 'link', 'add', 'name', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1'], {
    encoding: 'utf8',
  });
  return tried.status === 0 ? undefined : `needs network namespaces: ${tried.stderr.trim()}`;
}

export class Host {
  constructor(
    readonly name: string,
    readonly address: string,
    /** A directory that has other contents on every host. */
    readonly directory: string,
    private readonly holder: ChildProcess,
  ) {}

  /** Words before a command that make it run on this host. */
  get within(): readonly string[] {
    return ['nsenter', '--target', String(this.holder.pid), '--mount', '--net', '--'];
  }

  /** The test's name for a file in the host's directory. */
  path(name: string): string {
    return join('/proc', String(this.holder.pid), 'root', this.directory, name);
  }
}

export class Network {
  private readonly hosts: Host[] = [];
  private readonly holders: ChildProcess[];
  /** The test's own interface. */
  private readonly own = `weft${process.pid}`;

  private constructor(
    private readonly directory: string,
    private readonly number: number,
    private readonly center: ChildProcess,
  ) {
    this.holders = [center];
  }

  /** @param directory an empty one: where each host has its own file system */
  static async create(directory: string): Promise<Network> {
    const bridge = 'ip link set lo up && ip link add name switch type bridge && ip link set dev switch up';
    const network = new Network(directory, 1 + (process.pid % 250), await hold(bridge));
    const { own } = network;
    network.plug(own, String(process.pid), 'own');
    run('ip', 'address', 'add', `${network.ownAddress}/24`, 'dev', own);
    run('ip', 'link', 'set', 'dev', own, 'up');
    return network;
  }

  async addHost(name: string): Promise<Host> {
    const holder = await hold(`ip link set lo up && mount -t tmpfs -o mode=755 ${name} '${this.directory}'`);
    this.holders.push(holder);
    const address = this.addressOf(this.hosts.length + 1);
    this.plug('eth0', String(holder.pid), name);
    const host = new Host(name, address, this.directory, holder);
    run(...host.within, 'ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
    run(...host.within, 'ip', 'link', 'set', 'dev', 'eth0', 'up');
    this.hosts.push(host);
    return host;
  }

  /** Where hosts reach the test. */
  get ownAddress(): string {
    return this.addressOf(OWN_NUMBER);
  }

  /** Pulls the host's cable out of the switch. */
  partition({ name }: Host): void {
    this.atSwitch('link', 'set', 'dev', name, 'nomaster');
  }

  heal({ name }: Host): void {
    this.atSwitch('link', 'set', 'dev', name, 'master', 'switch');
  }

  async close(): Promise<void> {
    run('ip', 'link', 'delete', 'dev', this.own);
    await Promise.all(this.holders.map(end));
  }

  /** A cable from the switch to an interface of the process's network. */
  private plug(name: string, pid: string, port: string): void {
    run('ip', 'link', 'add', 'name', name, 'netns', pid, 'type', 'veth', 'peer', 'name', port, 'netns', String(this.center.pid));
    this.atSwitch('link', 'set', 'dev', port, 'master', 'switch', 'up');
  }

  private atSwitch(...words: string[]): void {
    run('nsenter', '--target', String(this.center.pid), '--net', '--', 'ip', ...words);
  }

  private addressOf(number: number): string {
    return `${NETWORK}.${this.number}.${number}`;
  }
}

/** Namespaces of their own that a process holds until its stdin closes: at the latest when the test ends. */
async function hold(setUp: string): Promise<ChildProcess> {
  const script = `${setUp} && echo ready && exec cat`;
  const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script], { stdio: 'pipe' });
  let errors = '';
  holder.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await Promise.race([
    once(holder.stdout, 'data'),
    once(holder, 'exit').then(() => {
      throw new Error(`no namespaces:\n${errors}`);
    }),
  ]);
  return holder;
}

async function end(holder: ChildProcess): Promise<void> {
  const gone = once(holder, 'exit');
  holder.stdin?.end();
  await gone;
}

function run(command = '', ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
