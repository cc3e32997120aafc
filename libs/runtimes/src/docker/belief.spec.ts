import { doubt, type Seen } from './belief.js';

const seen = (more: Partial<Seen>): Seen => ({
  status: 'ended',
  exitCode: 0,
  engine: 'restarted',
  liveRestore: false,
  fragile: false,
  ...more,
});

describe('what a container is worth after its engine was lost', () => {
  it.each<[string, Partial<Seen>, RegExp | undefined]>([
    ['a cut connection to the same engine: everything', { engine: 'same', fragile: true }, undefined],
    ['the same engine, exit 255: the tool said so', { engine: 'same', exitCode: 255 }, undefined],
    ['exit 0 of an engine that ends its containers: nothing', {}, /engine ended the container/],
    ['exit 143 of one: nothing', { exitCode: 143 }, /engine ended the container/],
    ['an engine that keeps containers, exit 3: the tool said so', { liveRestore: true, exitCode: 3 }, undefined],
    ['an engine that keeps containers and lost the exit', { liveRestore: true, exitCode: 255 }, /does not know how/],
    ['an engine that keeps containers, output to a file', { liveRestore: true, fragile: true }, /incomplete/],
    ['still running, output to the log: followed on', { status: 'running', liveRestore: true }, undefined],
    ['still running, output to a file', { status: 'running', liveRestore: true, fragile: true }, /incomplete/],
    ['never started, whatever the engine', { status: 'created', engine: 'same' }, /not started/],
  ])('%s', (_what, more, why) => {
    const said = doubt(seen(more));
    if (why === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(why);
  });
});
