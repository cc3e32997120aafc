import { executor } from '@weft/contracts';
import type { CwlObject } from '@weft/plan';
import { attach, detach, filesOf, type Surroundings } from './result-locations.js';

const input = (path: string, uri: string): executor.Input => executor.Input.create({ path, source: { $case: 'uri', value: uri } });
const literal = executor.Input.create({ path: '/in/9/l', source: { $case: 'text', value: 'x' } });
const around = (run: string, where: string): Surroundings => ({
  publishedTo: `file:///data/runs/${run}/t.1/`,
  inputs: [input('/in/1/d', `file:///${where}/d/`), literal, input('/in/0/a b', `file:///${where}/a%20b`)],
});
const outputs = (run: string, where: string): CwlObject => ({
  made: {
    class: 'File',
    location: `file:///data/runs/${run}/t.1/x/o%23`,
    checksum: 'sha1$1',
    secondaryFiles: [{ class: 'File', location: `file:///data/runs/${run}/t.1/x/o.i` }],
  },
  given: { class: 'File', location: `file:///${where}/a%20b` },
  below: [{ class: 'File', location: `file:///${where}/d/e/f` }, null, 3],
  all: {
    class: 'Directory',
    location: `file:///data/runs/${run}/t.1/all`,
    listing: [{ class: 'Directory', location: `file:///data/runs/${run}/t.1/all/none`, listing: [] }],
  },
  text: { class: 'File', contents: 'inline', basename: 'i' },
});

describe('locations of results', () => {
  it('are those of the other task, whatever its run and wherever its inputs lie', () => {
    const detached = detach(outputs('r-1', 'one'), around('r-1', 'one'));
    expect(JSON.stringify(detached?.outputs)).not.toMatch(/file:/);
    expect(attach(detached?.outputs ?? {}, around('r-2', 'two'))).toEqual(outputs('r-2', 'two'));
  });

  it('name every file once, and directories that would be lost without', () => {
    const detached = detach(outputs('r-1', 'one'), around('r-1', 'one'));
    const expected = {
      files: new Map([
        ['x/o%23', 'sha1$1'],
        ['x/o.i', undefined],
      ]),
      emptyDirectories: ['all/none'],
    };
    expect(detached).toMatchObject(expected);
    expect(filesOf(detached?.outputs ?? {})).toEqual(expected);
  });

  it('know an input by its file, however its URI is written', () => {
    const spelled = { o: { class: 'File', location: 'file:///one/a b' } } as CwlObject;
    expect(detach(spelled, around('r-1', 'one'))?.outputs).toEqual({ o: { class: 'File', location: 'weft-in:0' } });
  });

  it.each(['file:///etc/passwd', 'file:///data/runs/r-9/t.1/o', 'file:///one/dd', 'http://x/y'])(
    'has no result that names %s',
    (location) => {
      expect(detach({ o: [{ class: 'File', location }] }, around('r-1', 'one'))).toBeUndefined();
    },
  );

  it('refuses a result that names an input this task does not have', () => {
    expect(() => attach({ o: { class: 'File', location: 'weft-in:7' } }, around('r-1', 'one'))).toThrow(/no input/);
  });
});
