import { writeFileSync } from 'node:fs';
import { executor } from '@weft/contracts';
import { startFileServer } from '@weft/testing';
import { remoteInputsContract } from './remote-inputs.contract.js';
import { RunnerFixture, watch } from './runner.fixture.js';

const IMAGE = 'debian:stable-slim';
const create = (): RunnerFixture => new RunnerFixture('docker', IMAGE, { storage: { http: { allowPrivate: true } } });

describe('inputs from other hosts, in containers', () => {
  remoteInputsContract(create);

  it('stay what they were for a container that outlives its runner, and for its outputs', async () => {
    const server = await startFileServer();
    const runner = create();
    try {
      await runner.start();
      server.files.set('in.txt', Buffer.from('as it was'));
      const spec = runner.shell('while [ ! -e go ]; do sleep 0.1; done; cat /var/lib/cwl/0/in.txt; ln -s /var/lib/cwl/0/in.txt out');
      spec.inputs = [runner.input('/var/lib/cwl/0/in.txt', `${server.url}in.txt`)];
      const left = new AbortController();
      const started = watch(runner.execute(spec, left.signal), ({ handle }) => {
        if (handle !== undefined) left.abort();
      });
      await started.catch(() => undefined);
      await runner.stop();
      server.files.set('in.txt', Buffer.from('changed meanwhile'));
      const { requests } = server;
      const asked = requests.length;
      await runner.start();
      writeFileSync(`${runner.sandboxRoot}/${spec.taskId}-1/work/go`, '');
      const { finished } = await watch(runner.execute(spec));
      expect(finished).toMatchObject({ outcome: executor.Outcome.EXITED, exitCode: 0 });
      const { files } = await runner.collect(spec, [{ path: 'out', publish: true, contents: true }]);
      expect(files).toMatchObject([{ uri: `${server.url}in.txt`, contents: 'as it was' }]);
      expect(requests).toHaveLength(asked);
      await runner.release(spec);
    } finally {
      await runner.dispose();
      await server.stop();
    }
  });
});
