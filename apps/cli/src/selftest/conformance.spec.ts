import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ConformanceCheck, checkConformance, suitesOf } from './conformance.js';

describe('the conformance part of the checks', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weft-selftest-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const suite = (path: string): string => {
    const file = join(folder, path, 'conformance_tests.json');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify([{ id: 'a', tool: 'a.cwl' }]));
    return dirname(file);
  };
  /** `report`: what the run of a suite leaves. */
  const check = (report: (suite: string) => object | undefined): ConformanceCheck => ({
    root: join(folder, 'main'),
    scratch: folder,
    say: () => undefined,
    weft: ([command, path = '', , file = '']) => {
      const written = command === 'conformance' ? report(path) : undefined;
      if (written !== undefined) writeFileSync(file, JSON.stringify(written));
      return Promise.resolve(true);
    },
  });

  it('runs the project’s own suite, and the public ones that are there', () => {
    const own = suite('main/tests/conformance');
    expect(suitesOf(join(folder, 'main'))).toEqual([own]);
    const v13 = suite('shared/conformance/v1.3');
    expect(suitesOf(join(folder, 'main'))).toEqual([own, v13]);
  });

  it('counts every test of every suite', async () => {
    suite('main/tests/conformance');
    const v12 = suite('shared/conformance/v1.2');
    const tally = await checkConformance(
      check((path) => ({
        results: [
          { id: 'a', passed: true },
          { id: 'b', passed: path !== v12, ...(path === v12 && { reason: 'it printed 2\nand more' }) },
        ],
      })),
    );
    expect(tally).toMatchObject({ passed: 3, failed: 1, skipped: 0, failures: ['v1.2 › b: it printed 2'] });
  });

  it('takes a suite that broke for a failure', async () => {
    suite('main/tests/conformance');
    const failures = ['conformance: no report was written'];
    expect(await checkConformance(check(() => undefined))).toMatchObject({ passed: 0, failed: 1, skipped: 0, failures });
  });
});
