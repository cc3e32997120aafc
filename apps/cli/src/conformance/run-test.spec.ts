import { type Ended, judge } from './run-test.js';
import type { ConformanceTest } from './suite.js';

const failing: ConformanceTest = { id: 'a', doc: '', tags: [], tool: 'a.cwl', should_fail: true };
const failed = (code: string, proper = true): Ended => ({ kind: 'failed', message: 'why', code, unsupported: false, proper });

describe('a test that should fail', () => {
  it.each<[string, Ended, Record<string, string> | undefined, string | undefined]>([
    ['fails', failed('TOOL_EXIT'), undefined, undefined],
    ['fails as it must', failed('TOOL_EXIT'), { a: 'TOOL_EXIT' }, undefined],
    ['fails for another reason', failed('LINK'), { a: 'TOOL_EXIT' }, 'should have failed with TOOL_EXIT, but failed with LINK: why'],
    ['has no reason named', failed('LINK'), { b: 'LINK' }, 'no failure code is named for it; it ended with LINK: why'],
    ['broke the engine', failed('INTERNAL', false), undefined, 'should have been refused, but broke: why'],
    ['succeeded', { kind: 'outputs', outputs: { x: 1 } }, { a: 'LINK' }, 'should have failed, but gave {"x":1}'],
  ])('that %s', async (_name, ended, codes, reason) => {
    expect(await judge(failing, ended, codes)).toBe(reason);
  });
});
