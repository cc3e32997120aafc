// Types, values of them, and command line bindings at every level of a type.

const STRINGS = [
  'a',
  'two words',
  '',
  'ünï çødé 日本',
  '-dash',
  "it's",
  'say "hi"',
  'a$b',
  '$HOME',
  'back\\slash',
  'semi;colon',
  '*',
  '~',
  '#hash',
  'null',
  '7',
  'a,b',
  '`id`',
  '%s',
  '{}',
  'x=y',
  'tab\there',
  '!',
  '&amp;',
];
const NUMBERS = {
  int: [0, 1, -1, 7, 2147483647, -2147483648],
  long: [0, 12, 4294967296, -9007199254740991],
  float: [0.5, -2.25, 1.5],
  double: [0.1, 3.25, 100.5, -0.001],
};
const SCALARS = ['string', 'string', 'int', 'long', 'float', 'double', 'boolean', 'File', 'Directory', 'enum'];
const PREFIXES = ['-x', '--opt', '--opt=', 'p:', '-', ''];
const SYMBOLS = ['red', 'green', 'deep blue'];
let serial = 0;

/** Restarts the numbers in names, so that one seed gives the same names whatever was made before. */
export const restartNames = () => void (serial = 0);
export const freshName = (stem) => `${stem}${(serial += 1)}`;

/** A type in CWL's longest form. `bind`: whether parts may carry an inputBinding. */
export function makeType(r, depth, bind = true) {
  const kind = depth <= 0 ? 'scalar' : r.pick(['scalar', 'scalar', 'scalar', 'array', 'array', 'record', 'union', 'optional']);
  const binding = (probability, type) => (bind && r.chance(probability) ? { inputBinding: makeBinding(r, { nested: true, type }) } : {});
  if (kind === 'array') {
    const items = makeType(r, depth - 1, bind);
    // Where bindings inside of bindings of lists come is said by the specification in one way and done by engines in another.
    return { type: 'array', items, ...(/array|record/.test(JSON.stringify(items)) ? {} : binding(0.4, items)) };
  }
  if (kind === 'record') {
    const fields = r.times(r.int(1, 3), (index) => ({ name: `f${index}`, type: makeType(r, depth - 1, bind) }));
    for (const field of fields) Object.assign(field, binding(0.7, field.type));
    return { type: 'record', fields, ...binding(0.1) };
  }
  if (kind === 'union')
    return r.pick([
      ['string', 'int'],
      ['null', 'string', 'int'],
      ['boolean', 'string'],
      ['File', 'string'],
      ['int', { type: 'array', items: 'int' }],
    ]);
  if (kind === 'optional') return [...new Set(['null', makeType(r, depth - 1, bind)].flat())];
  const name = r.pick(SCALARS);
  return name === 'enum' ? { type: 'enum', symbols: SYMBOLS, ...binding(0.2) } : name;
}

export function makeValue(r, type, files) {
  if (Array.isArray(type)) return makeValue(r, r.pick(type), files);
  if (typeof type === 'object') {
    if (type.type === 'array') return r.times(r.pick([0, 1, 2, 2, 3]), () => makeValue(r, type.items, files));
    if (type.type === 'enum') return r.pick(type.symbols);
    return Object.fromEntries(type.fields.map(({ name, type: of }) => [name, makeValue(r, of, files)]));
  }
  if (type === 'null') return null;
  if (type === 'string') return r.pick(STRINGS);
  if (type === 'boolean') return r.chance(0.5);
  if (type === 'File') return files.file(r);
  if (type === 'Directory') return files.directory(r);
  return r.pick(NUMBERS[type]);
}

/** `of`: the name and type of the input, where expressions may speak of it. */
export function makeBinding(r, { nested = false, js = false, type } = {}) {
  const binding = {};
  if (r.chance(0.6)) binding.position = js && r.chance(0.2) ? r.pick(['$(1 + 1)', '${ return -3; }', '$(0)']) : r.int(-3, 3);
  if (r.chance(0.5)) binding.prefix = r.pick(PREFIXES);
  if (r.chance(0.3)) binding.separate = binding.prefix === undefined || r.chance(0.5);
  // How a record is joined is not said anywhere, nor a boolean: cwltool writes Python's True.
  if (!/record|boolean|array.*array/.test(JSON.stringify(type ?? '')) && r.chance(0.25))
    binding.itemSeparator = r.pick([',', ' ', ':', ' , ']);
  if (!nested && r.chance(0.1)) binding.loadContents = true;
  // What a File looks like in the middle of a text is the engine's.
  const inText = type === 'string' || type === 'int' ? ['x$(self)y'] : [];
  const scripts = js ? ['$(self === null ? "none" : typeof self)', '$([1, "b"])', '$(null)', '${ return {a: 1}.a; }'] : ['\\$(self)'];
  if (r.chance(nested ? 0.05 : 0.15)) binding.valueFrom = r.pick(['$(self)', 'plain', ...inText, ...scripts]);
  return binding;
}

/** The files that a case's job may name; what is used is written. */
export function makeFiles() {
  const written = {};
  const texts = ['one\n', 'two lines\nof text\n', '', 'no newline', 'ünï\n', '{"a": 1}\n'];
  const NAMES = ['plain.txt', 'with space.txt', 'ünï.dat', 'a.b.c', 'noext', 'x+y=z.txt', "quo'te.txt"];
  const write = (path, text) => ((written[path] = text), path);
  const address = (r, path) => (r.chance(0.3) ? { location: path.split('/').map(encodeURIComponent).join('/') } : { path });
  return {
    written,
    file(r) {
      const path = write(`data/${r.int(1, 3)}/${r.pick(NAMES)}`, r.pick(texts));
      for (const suffix of ['.idx', '.bak']) write(`${path}${suffix}`, `${suffix}\n`);
      write(path.replace(/\.[^./]*$/, '') + '.alt', 'alt\n');
      if (r.chance(0.1)) return { class: 'File', basename: r.pick(['lit.txt', 'lit 2.txt']), contents: r.pick(texts) };
      return {
        class: 'File',
        ...address(r, path),
        ...(r.chance(0.1)
          ? {
              basename: 'renamed.txt',
              secondaryFiles: ['renamed.txt.idx', 'renamed.alt', 'renamed.txt.bak'].map((basename) => ({
                class: 'File',
                basename,
                contents: basename,
              })),
            }
          : {}),
      };
    },
    directory(r) {
      const path = `data/dir${r.int(1, 3)}`;
      for (const [name, text] of [
        ['p.txt', 'p\n'],
        ['q.csv', '1,2\n'],
        ['sub/r.txt', 'r\n'],
        ['sub/deep/s', 's\n'],
      ])
        if (r.chance(0.7) || name === 'p.txt') write(`${path}/${name}`, text);
      if (r.chance(0.1)) return { class: 'Directory', basename: 'made', listing: [this.file(r)] };
      return { class: 'Directory', ...address(r, path) };
    },
  };
}
