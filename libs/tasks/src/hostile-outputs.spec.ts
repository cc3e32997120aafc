/**
 * What a hostile `cwl.output.json` gets: files of its sandbox, inputs of its task, or one failure that is final.
 * The collector is a runner's in memory; that it follows no link out is looked at with the real one (apps/step-runner, tests/hostile).
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CwlObject, CwlValue } from '@weft/plan';
import { isFileOrDirectory, isObject, nameProblem, pathOfFileUri } from '@weft/plan';
import type { BoundTask, OutputCollector, TaskBuilder, TaskRequest } from './api.js';
import { TaskError } from './api.js';
import { createTaskBuilder } from './task-builder.js';
import { LAYOUT, fakeEvaluator, finishedWith, type LeftFiles, memoryCollector, memoryFiles, request, sha1 } from '../test/fakes.js';

const RUNS = 10_000;
const STORED: Record<string, string> = { 'file:///d/a': 'aaa', 'file:///d/x/y': 'y', 'file:///d/x/z/w': 'w', 'http://h/i.txt': 'http' };
const LEFT: LeftFiles = {
  foo: 'foo\n',
  'sub/bar': 'bar',
  'sub/deep/baz': 'baz',
  'with space': '1',
  '%2e%2e': '2',
  empty: null,
  '/in/0/x': null,
  '/in/0/x/y': { input: 'file:///d/x/y', text: 'y' },
  '/in/0/x/z/w': { input: 'file:///d/x/z/w', text: 'w' },
  '/in/1/a': { input: 'file:///d/a', text: 'aaa' },
  '/in/2/i.txt': { input: 'http://h/i.txt', text: 'http' },
};
const INPUTS: CwlObject = {
  d: { class: 'Directory', location: 'file:///d/x' },
  f: { class: 'File', location: 'file:///d/a', size: 3, checksum: sha1('aaa') },
  h: { class: 'File', location: 'http://h/i.txt' },
};
const types = { d: 'Directory', f: 'File', h: 'File' } as const;
const asked: TaskRequest = request(
  {
    inputs: Object.entries(types).map(([name, type]) => ({ name, type })),
    outputs: [
      { name: 'o', type: ['null', 'Any'] },
      { name: 'p', type: ['null', 'File', { type: 'array', items: ['File', 'Directory'] }] },
    ],
  },
  INPUTS,
);

/** A runner that knows what the task left and what it was given, and has to be asked for nothing else. */
function watchedCollector(left: LeftFiles, outside: string[]): OutputCollector {
  const inner = memoryCollector(left);
  const given = (path: string): boolean => ['/in/0/x', '/in/1/a', '/in/2/i.txt'].some((one) => path === one || path.startsWith(`${one}/`));
  return {
    collect: (items, options) => {
      for (const { path } of items) {
        const parts = path.split('/');
        if (parts.includes('..') || path.includes('\0') || (path.startsWith('/') && !given(path))) outside.push(path);
      }
      return inner.collect(items, options).catch((error: unknown) => {
        throw new TaskError('OUTPUT_FILE', String(error));
      });
    },
  };
}

async function collected(builder: TaskBuilder, bound: BoundTask, json: string): Promise<CwlObject | TaskError> {
  const left = { ...LEFT, 'cwl.output.json': json };
  const outside: string[] = [];
  try {
    return await builder.collectOutputs(asked, bound, finishedWith(left), watchedCollector(left, outside));
  } catch (error) {
    if (error instanceof TaskError) return error;
    throw error;
  } finally {
    expect(outside).toEqual([]);
  }
}

/** Everything in the answer that is nobody's to give; deep, whatever the member is called. */
function wrongs(value: CwlValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(wrongs);
  if (!isObject(value)) return [];
  const below = Object.keys(value).flatMap((key) => wrongs(value[key]));
  if (!isFileOrDirectory(value)) return below;
  const { location, basename, class: kind, size, checksum } = value as CwlObject;
  const bad = (why: string): string[] => [`${why}: ${JSON.stringify(value)}`, ...below];
  if (value.path !== undefined) return bad('a path');
  if (nameProblem(basename) !== undefined) return bad('a name');
  if (location === undefined) return (kind === 'File' ? value['contents'] : value['listing']) === undefined ? bad('nothing') : below;
  const uri = String(location);
  const left = uri.startsWith('store:///') ? LEFT[uri.slice('store:///'.length)] : undefined;
  const text = STORED[uri] ?? (typeof left === 'string' ? left : undefined);
  const isDirectory = uri.startsWith('store:///') ? text === undefined : /^file:\/\/\/d\/x(\/z)?\/?$/.test(uri);
  if (kind === 'Directory') return isDirectory ? below : bad('a directory of others');
  if (uri === 'store:///cwl.output.json') return below;
  if (text === undefined) return bad('a file of others');
  // What was not looked at is said by nobody.
  if (checksum !== undefined && (checksum !== sha1(text) || size !== text.length)) return bad('a lie');
  return below;
}

const place = fc.oneof(
  fc.constantFrom(
    'foo',
    './foo',
    'sub',
    'sub/bar',
    'with%20space',
    '%2e%2e',
    '/work/foo',
    '/work',
    '.',
    'file:///work/foo',
    '/in/1/a',
    '/in/0/x/y',
  ),
  fc.constantFrom(
    'file:/etc/passwd',
    'FILE:///etc/passwd',
    'file://LOCALHOST/etc/passwd',
    'file:\\\\\\etc\\passwd',
    '/etc/passwd',
    '../../etc/passwd',
  ),
  fc.constantFrom(
    '/in/0/x/../../../etc/passwd',
    '/in/0/x/%2e%2e/%2e%2e',
    'file:///d/x/../../etc',
    'file:///d/x/..%2f..%2fetc',
    'file:///d/a/y',
    'file:///d/a/',
    'file:///d/x/y//',
    'file:///d/x/',
    'file:///d/xy',
  ),
  fc.constantFrom(
    's3://other/key',
    'http://169.254.169.254/',
    'http://h/i.txt',
    'http://h/i.txt/../secret',
    'http://u@h/i.txt',
    'data:,x',
    '_:1',
    'unix:/x',
  ),
  fc
    .array(
      fc.constantFrom(
        'file:',
        '//',
        '/',
        '\\',
        '..',
        '.',
        '%2e',
        '%2F',
        '%00',
        '\0',
        'd',
        'x',
        'a',
        'y',
        'work',
        'in',
        '0',
        'foo',
        '?',
        '#',
        '@',
        '\n',
        'LOCALHOST',
      ),
      {
        maxLength: 10,
      },
    )
    .map((pieces) => pieces.join('')),
);
const name = fc.oneof(fc.constantFrom('n', '..', '.', '', 'a/b', '/etc/x', 'a\0', '\ud800', 'é', 'x'.repeat(300), 'foo'), fc.string());
const junk = fc.oneof(fc.constantFrom<CwlValue>(null, 0, true, 'x', [], {}), fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<CwlValue>);
const sometimes = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<T | CwlValue> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: junk });
/** Levels of entries in entries: each makes the ones below it rarer. */
const entry = (levels: number): fc.Arbitrary<CwlValue> => {
  const inner = levels === 0 ? fc.constant<CwlValue>([]) : fc.array(entry(levels - 1), { maxLength: 2 });
  const members = {
    class: fc.constantFrom('File', 'Directory', 'Directory', 'file'),
    location: sometimes(place),
    path: sometimes(place),
    basename: sometimes(name),
    contents: sometimes(fc.string({ maxLength: 5 })),
    size: sometimes(fc.nat()),
    checksum: sometimes(fc.constantFrom(sha1('aaa'), sha1('foo\n'), 'sha1$0', 'x')),
    nameroot: sometimes(name),
    listing: sometimes(inner),
    secondaryFiles: sometimes(inner),
    'x:own': inner,
  };
  return fc.record(members, { requiredKeys: ['class'] }) as fc.Arbitrary<CwlValue>;
};
const statement = fc.oneof<fc.Arbitrary<CwlValue>[]>(
  entry(2),
  junk,
  fc.array(entry(1), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('r', 'location', 'class', '__proto__', 'constructor'), entry(1), { maxKeys: 3 }) as fc.Arbitrary<CwlValue>,
  // One thing wrong at most: these are often right.
  place.map((path) => ({ class: 'File', path })),
  place.map((location) => ({ class: 'File', location, size: 1, checksum: sha1('lie') })),
  place.map((path) => [
    { class: 'Directory', path },
    { class: 'Directory', basename: 'n', listing: [{ class: 'File', path }] },
  ]),
);
/** Now and then the text itself is broken. */
const json = fc
  .tuple(statement, statement, fc.option(fc.tuple(fc.nat(), fc.string({ maxLength: 3 })), { freq: 10 }))
  .map(([o, p, broken]) => {
    const text = JSON.stringify({ o, p });
    return broken === null ? text : text.slice(0, broken[0] % text.length) + broken[1] + text.slice((broken[0] % text.length) + 1);
  });

describe('a hostile cwl.output.json', () => {
  it(`gets nothing that is not its own, and fails for good: ${RUNS} times`, async () => {
    const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles(STORED) });
    const bound = await (await builder.prepare(asked)).bind(LAYOUT);
    expect(bound.spec.inputs.map((input) => input.path)).toEqual(['/in/0/x', '/in/1/a', '/in/2/i.txt']);
    let [taken, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(json, async (text) => {
        const answer = await collected(builder, bound, text);
        if (answer instanceof TaskError) refused += 1;
        else taken += 1;
        if (!(answer instanceof TaskError)) expect(wrongs(answer)).toEqual([]);
        else expect(answer.message.length).toBeLessThan(5_000);
      }),
      { numRuns: RUNS },
    );
    // Both ways were gone.
    expect(Math.min(taken, refused)).toBeGreaterThan(RUNS / 100);
  });

  it.each<[string, CwlObject]>([
    ['one slash', { location: 'file:/etc/passwd' }],
    ['capitals', { location: 'FILE:///etc/passwd' }],
    ['a host', { location: 'file://LOCALHOST/etc/passwd' }],
    ['backslashes', { location: 'file:\\\\\\etc\\passwd' }],
    ['a way up from an input', { location: 'file:///d/x/../../etc/passwd' }],
    ['an escaped way up from an input', { location: 'file:///d/x/%2e%2e/%2E%2e/etc/passwd' }],
    ['escaped slashes', { location: 'file:///d/x/..%2f..%2fetc%2fpasswd' }],
    ['a path up from an input', { path: '/in/0/x/../../../etc/passwd' }],
    ['a path up from the working directory', { path: '../etc/passwd' }],
    ['what only begins as an input', { location: 'file:///d/xy' }],
    ['what lies beside an input', { location: 'file:///d/b' }],
    ['what would lie below a file', { location: 'file:///d/a/b' }],
    ['a NUL', { path: 'foo\0' }],
    ['an escaped NUL', { location: 'file:///work/foo%00' }],
    ['an escaped way up', { location: '%2e%2e' }],
    ['a query', { location: 'file:///d/a?x' }],
    ['a user', { location: 'file://root@/d/a' }],
    ['another host', { location: 'file://h/d/a' }],
    ['a bucket of others', { location: 's3://other/key' }],
    ['an address of others', { location: 'http://169.254.169.254/latest' }],
    ['an address up from an input', { location: 'http://h/i.txt/../x' }],
    ['text in an address', { location: 'data:,x' }],
    ['what has a million directories above it', { path: `/${'a/'.repeat(1_000_000)}` }],
    ['an address with a million directories above it', { location: `http://h/${'a/'.repeat(1_000_000)}` }],
    ['a name with a million directories above it', { location: 'a/'.repeat(1_000_000) }],
    ['a scheme that nobody knows', { location: 'jar:file:///etc/passwd' }],
  ])('is refused %s, also with a checksum beside it and deep inside', async (_name, where) => {
    const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles(STORED) });
    const bound = await (await builder.prepare(asked)).bind(LAYOUT);
    const entry: CwlObject = { class: 'File', ...where };
    const ways: CwlValue[] = [
      entry,
      { ...entry, size: 1, checksum: sha1('x') },
      [{ r: [entry] }],
      { class: 'File', path: 'foo', secondaryFiles: [entry] },
      { class: 'Directory', basename: 'd', listing: [{ class: 'Directory', basename: 'e', listing: [entry] }] },
      { class: 'File', path: 'foo', 'x:own': { deep: [entry] } },
      { ...entry, class: 'Directory' },
    ];
    for (const o of ways) {
      const answer = await collected(builder, bound, JSON.stringify({ o }));
      expect(answer).toBeInstanceOf(TaskError);
      expect(['OUTPUT_MISSING', 'OUTPUT_TYPE']).toContain((answer as TaskError).code);
    }
  });

  it('is refused where it is nested without end', async () => {
    const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles(STORED) });
    const bound = await (await builder.prepare(asked)).bind(LAYOUT);
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['{"class":"Directory","basename":"d","listing":[', ']}'],
    ] as const) {
      const answer = await collected(
        builder,
        bound,
        `{"o":${open.repeat(100_000)}${open.endsWith(':') ? '0' : ''}${close.repeat(100_000)}}`,
      );
      expect(answer).toMatchObject({ code: 'OUTPUT_TYPE', message: expect.stringContaining('levels deep') });
    }
  });

  it('is told size and checksum, and not asked for them', async () => {
    const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles(STORED) });
    const bound = await (await builder.prepare(asked)).bind(LAYOUT);
    const lie = { class: 'File', size: 99, checksum: sha1('lie') };
    for (const [where, location, text] of [
      [{ location: 'http://h/i.txt' }, 'http://h/i.txt', 'http'],
      [{ location: 'FILE:/d/x/./y' }, 'file:///d/x/y', 'y'],
      [{ path: '/in/0/x/y' }, 'file:///d/x/y', 'y'],
      [{ location: 'file:///d/a' }, 'file:///d/a', 'aaa'],
      [{ path: 'with space' }, 'store:///with space', '1'],
      [{ location: 'with%20space' }, 'store:///with space', '1'],
    ] as const) {
      const { o } = (await collected(builder, bound, JSON.stringify({ o: { ...lie, ...where } }))) as { o: CwlObject };
      expect(o).toMatchObject({ location, size: text.length, checksum: sha1(text) });
      expect(pathOfFileUri(String(o['location'])) === undefined).toBe(!location.startsWith('file:'));
    }
  });
});
