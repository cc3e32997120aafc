import fc from 'fast-check';
import { imageNameProblem, isImageId, parseImageName } from './image-reference.js';

const HEX = '0123456789abcdef'.repeat(4);

describe('names of images', () => {
  it.each([
    ['debian', { path: 'debian' }],
    ['debian:stable-slim', { path: 'debian', tag: 'stable-slim' }],
    ['library/debian', { path: 'library/debian' }],
    ['docker.io/library/debian:12', { registry: 'docker.io', path: 'library/debian', tag: '12' }],
    ['localhost/a', { registry: 'localhost', path: 'a' }],
    ['localhost:5000/a/b/c:v1', { registry: 'localhost:5000', path: 'a/b/c', tag: 'v1' }],
    ['REGISTRY.example/a', { registry: 'REGISTRY.example', path: 'a' }],
    ['[::1]:5000/a', { registry: '[::1]:5000', path: 'a' }],
    ['10.0.0.1:80/a', { registry: '10.0.0.1:80', path: 'a' }],
    ['quay.io/biocontainers/samtools:1.9--h8571acd_11', { registry: 'quay.io', path: 'biocontainers/samtools', tag: '1.9--h8571acd_11' }],
    ['a__b/c-d.e---f', { path: 'a__b/c-d.e---f' }],
    [`debian@sha256:${HEX}`, { path: 'debian', digest: `sha256:${HEX}` }],
    [`r.test:5/a:t@sha256:${HEX}`, { registry: 'r.test:5', path: 'a', tag: 't', digest: `sha256:${HEX}` }],
    [`${'a'.repeat(255)}:${'t'.repeat(128)}`, { path: 'a'.repeat(255), tag: 't'.repeat(128) }],
  ])('%s is one', (text, parts) => {
    expect(imageNameProblem(text)).toBeUndefined();
    expect(parseImageName(text)).toEqual(parts);
  });

  it.each([HEX, `sha256:${HEX}`])('%s is an id, and no name', (text) => {
    expect([isImageId(text), imageNameProblem(text), parseImageName(text)]).toEqual([true, undefined, undefined]);
  });

  it.each([
    ['', 'it is empty'],
    ['a'.repeat(513), 'it has more than 512 characters'],
    [`r.test/${'a'.repeat(249)}`, 'without tag and digest it has more than 255 characters'],
    ['docker://debian', "it begins with 'docker://', and a name has no scheme"],
    ['http://127.0.0.1:80/a', "it begins with 'http://', and a name has no scheme"],
    ['../127.0.0.1:2375/x?y=', "'..' is no registry: host or host:port"],
    ['../x', "'..' is no registry: host or host:port"],
    ['a/../b', "'..' must be small letters and digits, with single '.', '_', '__' or '-' between them"],
    ['a//b', "it has an empty part between '/'"],
    ['/a', "it has an empty part between '/'"],
    ['a/', "it has an empty part between '/'"],
    ['Debian', "'Debian' has capital letters, and a name has none: 'debian'"],
    ['r.test/A/b', "'A' has capital letters, and a name has none: 'a'"],
    ['a?b', "'a?b' must be small letters and digits, with single '.', '_', '__' or '-' between them"],
    ['a%2f..', "'a%2f..' must be small letters and digits, with single '.', '_', '__' or '-' between them"],
    ['a b', "'a b' must be small letters and digits, with single '.', '_', '__' or '-' between them"],
    ['a\r\nX: y/b', "'a\u{fffd}\u{fffd}X: y' is no registry: host or host:port"],
    ['a___b', "'a___b' must be small letters and digits, with single '.', '_', '__' or '-' between them"],
    ['debian:', "'' is no tag: letters, digits, '.', '_' and '-', at most 128"],
    ['debian:.x', "'.x' is no tag: letters, digits, '.', '_' and '-', at most 128"],
    [`debian:${'t'.repeat(129)}`, `'${'t'.repeat(79)}…' is no tag: letters, digits, '.', '_' and '-', at most 128`],
    ['host:99999/a', "'host:99999' is no registry: host or host:port"],
    ['user@host:80/a', "'host:80/a' behind the '@' is no digest, such as sha256: and 64 digits"],
    ['debian@sha256:abc', "'sha256:abc' behind the '@' is no digest, such as sha256: and 64 digits"],
    [`debian@sha256:${HEX}00`, `'sha256:${HEX}00' behind the '@' is no digest, such as sha256: and 64 digits`],
    ['-v/a', "'-v' must be small letters and digits, with single '.', '_', '__' or '-' between them"],
    ['$(inputs.image)', "'$(inputs.image)' must be small letters and digits, with single '.', '_', '__' or '-' between them"],
  ])('%j is none', (text, problem) => expect(imageNameProblem(text)).toBe(problem));

  it('is one part of an address, whatever is made of it (10,000 mutations)', () => {
    const good = fc.constantFrom('debian', 'debian:stable-slim', 'r.test:5000/a/b:t', `a@sha256:${HEX}`, 'localhost/x', '[::1]:80/x', HEX);
    const bad = fc.constantFrom(
      ...[
        '..',
        '../',
        '/../',
        '%2e%2e',
        '%2f',
        '?',
        '#',
        '&',
        '\\',
        '\0',
        '\r\n',
        ' ',
        '\t',
        '@',
        ':',
        '//',
        'http://',
        '🐳',
        'ı',
        '‥',
        '。',
        ';',
        '$(x)',
        '`',
      ],
      ...['?fromImage=', '127.0.0.1:2375', '/json?', '..;/', '%00', '%0d%0a', "'", '"', '<', '{', '[', ']', '~', '*', 'A', '-', '_', '.'],
    );
    const part = fc.oneof(bad, fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('a', '1', 'x-y'));
    const mutated = fc
      .tuple(good, fc.array(fc.tuple(fc.nat(80), fc.nat(3), part), { minLength: 1, maxLength: 4 }))
      .map(([text, changes]) => changes.reduce((now, [at, removed, put]) => now.slice(0, at) + put + now.slice(at + removed), text));
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ unit: 'binary', maxLength: 600 })), (name) => {
        const problem = imageNameProblem(name);
        if (problem !== undefined) return expect(/^[ -~…\u{fffd}]{1,400}$/u.test(problem)).toBe(true);
        expect(name).toMatch(/^[A-Za-z0-9._:/@[\]-]{1,512}$/);
        const { pathname, search, hash, host } = new URL(`http://engine.test/images/${name}/json`);
        expect({ pathname, search, hash, host }).toEqual({ pathname: `/images/${name}/json`, search: '', hash: '', host: 'engine.test' });
      }),
      { numRuns: 10_000 },
    );
  });
});
