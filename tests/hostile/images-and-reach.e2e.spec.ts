/** Names of images that are addresses, and inputs that are none. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Attack, ATTACKER, describeWithDocker, HardenedStack, START_TIMEOUT_MS, tool } from './hardened-stack.js';

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

  it('sees no result of another project, whoever names it, and those of its own', async () => {
    const publishes = (text: string): object => ({
      ...tool(`echo ${text} > out.txt`),
      outputs: { o: { type: 'File', outputBinding: { glob: 'out.txt' } } },
    });
    const result = async (projectId: string): Promise<string> => {
      const { end } = await stack.attack(publishes(`result-of-${projectId}`), {}, { projectId });
      return (JSON.parse(end.outputsJson) as { o: { location: string } }).o.location;
    };
    const [theirs, own] = [await result('neighbour'), await result(ATTACKER)];
    const run = theirs.slice(0, theirs.indexOf('/', theirs.indexOf('/runs/') + '/runs/'.length));
    const data = run.slice(0, run.indexOf('/runs/'));
    const ownRun = own.slice(0, own.lastIndexOf('/'));
    symlinkSync(fileURLToPath(theirs), join(mine, 'theirs.txt'));
    const shows = { ...tool('cat "$0"'), inputs: { x: 'File' }, arguments: ['$(inputs.x)'] };
    expect(await said(shows, { x: { class: 'File', location: own } })).toBe('succeeded');
    const REFUSED = /is no result of this run or of its project|by another name|outside the allowed roots|is a directory/;
    const names = [
      theirs,
      theirs.replace('/runs/', '/%72uns/'),
      `${ownRun}/../../${run.split('/').at(-1) ?? ''}/${theirs.slice(run.length + 1)}`,
    ];
    for (const location of [...names, pathToFileURL(join(mine, 'theirs.txt')).href, `${run.replace('runs', 'none')}/x`])
      expect(await said(shows, { x: { class: 'File', location } })).toMatch(REFUSED);
    for (const location of [run, `${data}/archive`, `${data}/cache`, `${data}/runs`, data])
      expect(await said({ ...shows, inputs: { x: 'Directory' } }, { x: { class: 'Directory', location } })).toMatch(REFUSED);
    // Of what only shows while a run goes on: a document's default, what JavaScript makes up, and what a step hands on.
    const made = `\${ return { class: 'File', location: '${theirs}' }; }`;
    const javascript = { class: 'InlineJavascriptRequirement' };
    const expressionTool = {
      class: 'ExpressionTool',
      requirements: [javascript],
      inputs: {},
      outputs: { o: 'File' },
      expression: `\${ return { o: { class: 'File', location: '${theirs}' } }; }`,
    };
    const inStep = (step: object): object => ({
      cwlVersion: 'v1.2',
      class: 'Workflow',
      requirements: [javascript, { class: 'StepInputExpressionRequirement' }],
      inputs: {},
      outputs: {},
      steps: { s: { out: [], ...step } },
    });
    for (const document of [
      inStep({ run: { ...shows, inputs: { x: { type: 'File', default: { class: 'File', location: theirs } } } }, in: {} }),
      inStep({ run: { ...shows, inputs: { x: { type: 'File', loadContents: true } } }, in: { x: { valueFrom: made } } }),
      inStep({ run: expressionTool, in: {}, out: ['o'] }),
      { ...expressionTool, cwlVersion: 'v1.2' },
      tool('cat staged', {
        requirements: [javascript, { class: 'InitialWorkDirRequirement', listing: [{ entryname: 'staged', entry: made }] }],
      }),
    ])
      expect(await said(document)).toMatch(REFUSED);
    expect(attacks.filter(({ text }) => text.includes('result-of-neighbour')).map(({ runId }) => runId)).toEqual([]);
  });
});
