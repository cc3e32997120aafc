import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apartFrom, hostsIn } from './network.js';
import type { ConformanceTest } from './suite.js';

describe('hostsIn', () => {
  it.each([
    ['urllib.request.urlopen("http://a.example").code', ['a.example']],
    ["baseCommand: [sh, -c, 'curl -sf https://b.example/x']", ['b.example']],
    ['$namespaces: { e: http://edamontology.org/ }', []],
  ])('%s', (text, hosts) => expect(hostsIn(text)).toEqual(hosts));
});

describe('apartFrom', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weft-suite-'));
    writeFileSync(join(folder, 'net.cwl'), 'arguments: [wget http://a.example/]\n');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const test = (id: string, more: Partial<ConformanceTest> = {}): ConformanceTest => ({
    id,
    doc: '',
    tags: ['networkaccess'],
    tool: 'net.cwl',
    should_fail: false,
    ...more,
  });
  const suite = [test('fetches'), test('refused', { should_fail: true }), test('other', { tags: [] })];
  const none = { known: [], unserved: new Map<string, string>() };
  const unknown = (): Promise<boolean> => Promise.resolve(false);

  it('names the test that needs a host nobody knows, and only that', async () => {
    const apart = await apartFrom(folder, suite, none, unknown);
    expect([...apart.keys()]).toEqual(['fetches']);
    expect(apart.get('fetches')).toContain('a.example');
  });

  it('judges it where the host resolves or something stands in for it', async () => {
    expect((await apartFrom(folder, suite, none, () => Promise.resolve(true))).size).toBe(0);
    expect((await apartFrom(folder, suite, { ...none, known: ['a.example'] }, unknown)).size).toBe(0);
  });

  it('says why nothing stands in for it', async () => {
    const unserved = new Map([['a.example', 'nothing can stand in for a.example on 172.17.0.1:80: it is taken']]);
    const apart = await apartFrom(folder, suite, { known: [], unserved }, unknown);
    expect(apart.get('fetches')).toMatch(/^it fetches from a\.example, .* \(nothing can stand in for a\.example on .*: it is taken\)$/);
  });
});
