/** Names of images that are addresses, and inputs that are none. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Attack, describeWithDocker, HardenedStack, START_TIMEOUT_MS, tool } from './hardened-stack.js';

describeWithDocker('a hardened stack', () => {
  let stack: HardenedStack;
  let socket: Server;
  /** The only place that inputs may lie in. */
  let mine: string;
  const attacks: Attack[] = [];

  beforeAll(async () => {
    mine = realpathSync(mkdtempSync(join(tmpdir(), 'weft-reach-')));
    stack = await HardenedStack.start({ WEFT_ALLOWED_ROOTS: mine });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    socket?.close();
    await stack?.stop();
    rmSync(mine, { recursive: true, force: true });
  });
  afterEach(async () => {
    await stack.expectUnharmed(...attacks.splice(0));
  });

  /** What the attacker hears: the refusal, or how the run failed. */
  const said = async (cwl: unknown, inputs: object = {}): Promise<string> => {
    const answer = await stack.attack(cwl, inputs).catch((error: unknown) => error as Error);
    if (answer instanceof Error || !('end' in answer)) return String((answer as { message?: unknown }).message);
    attacks.push(answer);
    return answer.end.failure?.message ?? 'succeeded';
  };
  const inImage = (dockerPull: string): object => ({ ...tool('true'), requirements: [{ class: 'DockerRequirement', dockerPull }] });
  const taking = (kind: 'File' | 'Directory', more: object[] = []): object => ({
    ...tool('true', {
      requirements: [
        ...more,
        { class: 'InitialWorkDirRequirement', listing: [{ entry: '$(inputs.x)', entryname: 'x', writable: more.length > 0 }] },
      ],
    }),
    inputs: { x: kind },
    baseCommand: ['sh', '-c', 'echo changed > x; find x -type f -exec cat {} +; true'],
  });
  const at = (kind: 'File' | 'Directory', path: string): object => ({ x: { class: kind, location: pathToFileURL(path).href } });

  it('asks no address that a name of an image leads to, and quotes nothing', async () => {
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(stack.secret);
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const host = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    for (const name of [`../${host}/x?y=`, `http://${host}/x`, `${host}/../x`, `a/../../${host}/x`, 'a\r\nHost: b/c', '%2e%2e/x'])
      expect(await said(inImage(name))).toContain("'dockerPull' does not name an image");
    for (const name of [`${host}/x:1`, `localhost:${host.split(':')[1]}/x`, '127.1:80/x', '169.254.169.254/latest'])
      expect(await said(inImage(name))).toContain('it is not at a public address');
    expect(asked).toEqual([]);
    other.close();
  });

  it('takes no input from the kernel, from itself, or through a socket', async () => {
    const folder = mine;
    mkdirSync(join(folder, 'copied'));
    writeFileSync(join(folder, 'reference.txt'), 'kept');
    symlinkSync('/proc/self/environ', join(folder, 'environ'));
    symlinkSync(join(stack.outside, 'secret.txt'), join(folder, 'copied', 'out'));
    mkdirSync(join(folder, 'holds'));
    socket = createSocketServer().listen(join(folder, 'holds', 'engine.sock'));
    await once(socket, 'listening');
    for (const path of ['/proc/self/environ', '/dev/zero', join(folder, 'environ'), join(stack.home, 'canary.txt')])
      expect(await said(taking('File'), at('File', path))).toMatch(/allowed roots|of the kernel|the stack itself/);
    const { x: root } = at('Directory', '/') as { x: object };
    expect(await said(taking('Directory'), { x: root })).toContain('the name "" of a Directory is empty');
    expect(await said(taking('Directory'), { x: { ...root, basename: 'all' } })).toMatch(/allowed roots/);
    for (const path of ['/proc', stack.home, join(stack.home, 'run'), join(stack.home, 'redis')])
      expect(await said(taking('Directory'), at('Directory', path))).toMatch(/allowed roots|of the kernel|the stack/);
    expect(await said(taking('Directory'), at('Directory', join(folder, 'holds')))).toMatch(
      /holds a socket|neither a file nor a directory/,
    );
    const inPlace = [{ class: 'InplaceUpdateRequirement', inplaceUpdate: true }];
    expect(await said(taking('Directory', inPlace), at('Directory', join(folder, 'copied')))).toMatch(/outside the allowed roots/);
    // The attacker may read it, and gets a copy to change.
    expect(
      await stack.attack(
        { ...taking('File', inPlace), baseCommand: ['sh', '-c', 'echo changed > x'] },
        at('File', join(folder, 'reference.txt')),
      ),
    ).toMatchObject({
      end: { failure: undefined },
    });
    expect(readFileSync(join(folder, 'reference.txt'), 'utf8')).toBe('kept');
  });
});
