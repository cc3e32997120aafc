/** Inputs that lie on another host, whatever runs the task. */
import { createHash } from 'node:crypto';
import { executor } from '@weft/contracts';
import { type FileServer, startFileServer } from '@weft/testing';
import { type RunnerFixture, watch } from './runner.fixture.js';

const sha1 = (text: string): string => `sha1$${createHash('sha1').update(text).digest('hex')}`;

export function remoteInputsContract(create: () => RunnerFixture): void {
  let server: FileServer;
  let runner: RunnerFixture;
  beforeAll(async () => {
    runner = create();
    await runner.start();
  });
  afterAll(() => runner.dispose());
  beforeEach(async () => {
    server = await startFileServer();
    server.files.set('in.txt', Buffer.from('from afar'));
  });
  afterEach(() => server.stop());

  const task = (script: string, input: Partial<executor.Input> = {}, file = 'in.txt'): executor.TaskSpec => {
    const spec = runner.shell(script);
    const { in: inputs } = runner.pathsOf(spec.taskId);
    spec.inputs = [runner.input(`${inputs}/0/in.txt`, server.url + file, input)];
    spec.argv = [...spec.argv.slice(0, 2), `IN=${inputs}/0/in.txt; ${script}`];
    return spec;
  };

  it('are there under their names, fetched once for many tasks; what links to them lies where they lie', async () => {
    const specs = [1, 2, 3].map(() => task('cat "$IN"; basename "$(readlink -f "$IN")"; ln -s "$IN" out'));
    const seen = await Promise.all(specs.map((spec) => runner.run(spec)));
    expect(seen.map(({ stdout }) => stdout)).toEqual(specs.map(() => 'from afarin.txt\n'));
    expect(server.requests.filter((request) => request.startsWith('GET'))).toHaveLength(1);
    expect(seen[0]?.finished.manifest).toMatchObject([{ path: 'out', inputUri: `${server.url}in.txt` }]);
    const [spec] = specs;
    const collected = await runner.collect(spec!, [{ path: 'out', publish: true, checksum: true }]);
    expect(collected.files).toMatchObject([{ uri: `${server.url}in.txt`, size: 9, checksum: sha1('from afar') }]);
    for (const one of specs) await runner.release(one);
  });

  it("are the task's own where it may change them", async () => {
    const changing = task('echo changed >> "$IN"; cat "$IN"', { writable: true });
    expect((await runner.run(changing)).stdout).toBe('from afarchanged\n');
    const reading = task('cat "$IN"');
    expect((await runner.run(reading)).stdout).toBe('from afar');
    for (const one of [changing, reading]) await runner.release(one);
  });

  it.each([
    ['is not there', {}, 'none', /none does not exist/],
    ['is not what was promised', { checksum: sha1('else') }, 'in.txt', /has the checksum sha1\$\w+, not sha1\$\w+ as its File value says/],
    ['is to be changed in place', { inPlace: true, writable: true }, 'in.txt', /cannot be changed in place/],
  ] as const)('fail the task where one %s, with its URI', async (_what, input, file, message) => {
    const { finished } = await runner.run(task('true', input, file));
    expect(finished.failure).toMatchObject({ code: 'INPUT_FILE', retryable: false, message: expect.stringMatching(message) });
    expect(finished.failure?.message).toContain(server.url + file);
  });

  it('are not waited for when the task is cancelled', async () => {
    const held = task('true');
    let reached: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (reached = resolve));
    server.beforeBody = () => {
      reached();
      return new Promise(() => undefined);
    };
    const watched = watch(runner.execute(held));
    await asked;
    await runner.cancel(held);
    expect((await watched).finished.outcome).toBe(executor.Outcome.CANCELLED);
  });
}
