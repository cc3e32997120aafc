import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import type { CommandLineTool, CwlObject, CwlType, InputBinding, InputParameter } from '@weft/plan';
import { buildCommandLine, compareKeys } from './command-line.js';
import type { SortKey } from './command-line.js';
import type { Scope } from './scope.js';
import { shellQuote } from './shell-quote.js';
import { fakeEvaluator, tool } from '../test/fakes.js';

const scope = (inputs: CwlObject): Scope => ({
  evaluator: fakeEvaluator,
  options: { javascript: true, expressionLib: [] },
  inputs,
  runtime: {},
});
const words = (part: Partial<CommandLineTool>, inputs: CwlObject, shell = false) => buildCommandLine(tool(part), scope(inputs), shell);
const input = (name: string, type: CwlType, inputBinding?: InputBinding): InputParameter => ({
  name,
  type,
  ...(inputBinding ? { inputBinding } : {}),
});
const array = (items: CwlType, inputBinding?: InputBinding): CwlType => ({
  type: 'array',
  items,
  ...(inputBinding ? { inputBinding } : {}),
});
const FILE = { class: 'File', path: '/in/0/f', basename: 'f' };

describe('one binding', () => {
  it.each<[string, CwlType, InputBinding, CwlObject[string], string[]]>([
    ['string', 'string', {}, 'a b', ['a b']],
    ['prefix', 'int', { prefix: '-n' }, 3, ['-n', '3']],
    ['prefix joined', 'int', { prefix: '-n=', separate: false }, 3, ['-n=3']],
    ['true with prefix', 'boolean', { prefix: '-v' }, true, ['-v']],
    ['false', 'boolean', { prefix: '-v' }, false, []],
    ['true without prefix', 'boolean', {}, true, []],
    ['null', ['null', 'int'], { prefix: '-n', valueFrom: '$(boom)' }, null, []],
    ['small float', 'float', {}, 1e-5, ['0.00001']],
    ['huge float', 'double', {}, 1e21, ['1000000000000000000000']],
    ['whole number of 64 bits', 'long', { prefix: '-n' }, 9223372036854775807n, ['-n', '9223372036854775807']],
    ['several of 64 bits', array('long'), { itemSeparator: ',' }, [-9223372036854775807n, 1], ['-9223372036854775807,1']],
    ['File', 'File', {}, FILE, ['/in/0/f']],
    ['empty prefix', 'int', { prefix: '' }, 3, ['', '3']],
    ['empty prefix, not separate', 'int', { prefix: '', separate: false }, 3, ['3']],
    ['empty prefix of a flag', 'boolean', { prefix: '' }, true, []],
    ['empty prefix of an array', array('int'), { prefix: '' }, [1, 2], ['1', '2']],
    ['array', array('int'), { prefix: '-i' }, [1, 2], ['-i', '1', '2']],
    ['array with separator', array('int'), { prefix: '-i', itemSeparator: ',' }, [1, 2], ['-i', '1,2']],
    ['array with joined separator', array('int'), { prefix: '-i=', itemSeparator: ',', separate: false }, [1, 2], ['-i=1,2']],
    ['booleans with separator, as expressions write them', array('boolean'), { itemSeparator: ',' }, [true, false], ['true,false']],
    ['empty array', array('int'), { prefix: '-i' }, [], []],
    ['binding per item', array('int', { prefix: '-x' }), { prefix: '-i' }, [1, 2], ['-i', '-x', '1', '-x', '2']],
    ['array of arrays', array(array('string')), {}, [['a', 'b'], ['c']], ['a', 'b', 'c']],
    ['files in an array', array('File'), { itemSeparator: ',' }, [FILE, FILE], ['/in/0/f,/in/0/f']],
    ['valueFrom', 'int', { prefix: '-n', valueFrom: '$(self + 1)' }, 3, ['-n', '4']],
    ['valueFrom constant', 'int', { valueFrom: 'x' }, 3, ['x']],
    ['valueFrom list', 'int', { prefix: '-n', valueFrom: '$([self, self])' }, 3, ['-n', '3', '3']],
    ['valueFrom null', 'int', { prefix: '-n', valueFrom: '$(null)' }, 3, []],
    ['enum', { type: 'enum', symbols: ['a'] }, { prefix: '-e' }, 'a', ['-e', 'a']],
    [
      'union takes the member that fits',
      ['null', array('string', { prefix: '-s' }), { type: 'enum', symbols: ['q'] }],
      {},
      ['q'],
      ['-s', 'q'],
    ],
    [
      'record with a prefix',
      { type: 'record', fields: [{ name: 'a', type: 'int', inputBinding: { prefix: '-a' } }] },
      { prefix: '-r' },
      { a: 1 },
      ['-r', '-a', '1'],
    ],
    ['Any that is a list', 'Any', { prefix: '-y' }, [1, ['a', FILE]], ['-y', '1', 'a', '/in/0/f']],
    ['Any that is a list, joined', 'Any', { prefix: '-y', itemSeparator: '+' }, [1, 2], ['-y', '1+2']],
    ['Any that is an object', 'Any', { prefix: '-y' }, { a: 1 }, ['-y']],
  ])('%s', async (_name, type, binding, value, expected) => {
    expect(await words({ inputs: [input('x', type, binding)] }, { x: value as never })).toEqual(expected);
  });

  it.each<[string, InputBinding]>([
    ['of one binding', {}],
    ['each with its own', { prefix: '-x' }],
    ['of a list that an expression gives', { valueFrom: '$(self)' }],
  ])('takes as many short words as there are: %s', async (_, binding) => {
    const many = new Array<number>(200_000).fill(7);
    const items = binding.prefix === undefined ? array('int') : array('int', binding);
    const line = await words({ inputs: [input('x', items, binding.prefix === undefined ? binding : {})] }, { x: many });
    expect(line.filter((word) => word === '7')).toHaveLength(many.length);
  });

  it('refuses "separate: false" without a prefix', async () => {
    await expect(words({ inputs: [input('x', 'int', { separate: false })] }, { x: 1 })).rejects.toMatchObject({ code: 'BINDING' });
  });
});

describe('order', () => {
  it('is by position, arguments before inputs, then by name', async () => {
    const inputs = [
      input('b', 'int', {}),
      input('a', 'int', {}),
      input('first', 'int', { position: -1 }),
      input('last', 'int', { position: '$(self)' }),
    ];
    const part = {
      baseCommand: ['cmd'],
      arguments: ['arg', { position: 2, valueFrom: 'two' }, { position: '$(null)', valueFrom: 'zero' }],
      inputs,
    };
    expect(await words(part, { a: 1, b: 2, first: 0, last: 9 })).toEqual(['cmd', '0', 'arg', 'zero', '1', '2', 'two', '9']);
  });

  it('keeps what is nested together, by its own positions', async () => {
    const record = (name: string, position: number, fields: [string, number][]): InputParameter =>
      input(
        name,
        {
          type: 'record',
          fields: fields.map(([field, at]) => ({ name: field, type: 'int', inputBinding: { prefix: `-${field}`, position: at } })),
        },
        { position, prefix: `-${name}` },
      );
    const inputs = [record('a', 5, [['b', 1], ['c', 3]]), record('d', 6, [['f', 4], ['e', 2]])]; // prettier-ignore
    const args = await words({ inputs }, { a: { b: 1, c: 3 }, d: { e: 2, f: 4 } });
    expect(args).toEqual(['-a', '-b', '1', '-c', '3', '-d', '-e', '2', '-f', '4']);
  });

  it('mixes fields of records without a binding with everything else', async () => {
    const type: CwlType = { type: 'record', fields: [{ name: 'x', type: 'int', inputBinding: { position: 2 } }] };
    expect(await words({ inputs: [input('r', type), input('y', 'int', { position: 1 })] }, { r: { x: 2 }, y: 1 })).toEqual(['1', '2']);
  });

  const key = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('a', 'b', 'B', 'é')), { maxLength: 4 });
  it('is a total order: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(key, key, key, (a: SortKey, b: SortKey, c: SortKey) => {
        expect(Math.sign(compareKeys(a, b))).toBe(-Math.sign(compareKeys(b, a)) + 0);
        if (compareKeys(a, b) <= 0 && compareKeys(b, c) <= 0) expect(compareKeys(a, c)).toBeLessThanOrEqual(0);
        expect(compareKeys(a, [...a, 0])).toBeLessThan(0);
      }),
    );
  });
});

describe('shell', () => {
  it('gives exactly the quoted words back', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (args) => {
        const line = ['printf', '%s\\0', '--', ...args].map(shellQuote).join(' ');
        const printed = execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
        expect(printed).toBe(['--', ...args].map((one) => `${one}\0`).join(''));
      }),
      { numRuns: 40 },
    );
  });

  it('leaves base commands and values as words, and raw parts raw', async () => {
    const part = {
      baseCommand: ['echo', 'a b'],
      arguments: [{ valueFrom: '| wc -c', shellQuote: false, position: 1 }],
      inputs: [input('x', 'string', { prefix: '-x' })],
    };
    expect(await words(part, { x: '$HOME' }, true)).toEqual(['/bin/sh', '-c', "echo 'a b' -x '$HOME' | wc -c"]);
  });
});
