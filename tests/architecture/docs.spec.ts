/**
 * The documentation is true where a machine can tell: links lead somewhere, the table of environment variables is complete, and no
 * page depends on a package registry's host.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { repositoryFiles } from './repository-files.js';

const ROOT = resolve('.');
const OPERATING = 'docs/guides/operating.md';
const REGISTRIES =
  /registry\.npmjs\.org|npmjs\.com|registry\.yarnpkg\.com|pypi\.org|files\.pythonhosted\.org|hub\.docker\.com|docker\.io|quay\.io|ghcr\.io/;
/** Named by CWL itself: `docker.io/debian` and Debian's package docker.io are no dependency on a host. */
const NOT_A_HOST = /docker\.io\/debian|(?:package|Debian's|Debian’s) `?docker\.io`?/g;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Targets of Markdown links outside of code, without their #fragment; addresses of other hosts are left out. */
export function relativeLinks(markdown: string): string[] {
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** Names that occur as a whole: `WEFT_` alone, as in a pattern, is none. */
export function variables(text: string): string[] {
  return [...new Set(text.match(/\bWEFT_[A-Z][A-Z0-9_]*[A-Z0-9]\b/g) ?? [])].sort();
}

const files = repositoryFiles();
const documents = files.filter((file) => file.endsWith('.md'));
const sources = files.filter(
  (file) => /^(apps|libs)\/[^/]+\/src\/.*\.ts$/.test(file) && !/\.spec\.ts$|\/testing\/|\/spec-support\//.test(file),
);

describe('links', () => {
  it('finds links in prose and none in code', () => {
    expect(relativeLinks('[a](x.md#y) `[b](no.md)` [c](https://e.org) [d](#here)\n```\n[e](no.md)\n```\n')).toEqual(['x.md']);
  });

  it.each(documents)('of %s resolve', (file) => {
    const broken = relativeLinks(read(file)).filter((target) => !existsSync(resolve(ROOT, dirname(file), decodeURIComponent(target))));
    expect(broken).toEqual([]);
  });
});

it('the tour goes through fourteen files at most, of all parts of the way', () => {
  const visited = relativeLinks(read('docs/tour.md')).filter((target) => target.endsWith('.ts'));
  expect(visited.length).toBeLessThanOrEqual(14);
  const parts = ['apps/cli', 'apps/scheduler', 'apps/step-runner', 'libs/cwl', 'libs/engine', 'libs/runtimes'];
  expect(parts.filter((part) => !visited.some((target) => target.startsWith(`../${part}/`)))).toEqual([]);
});

describe('environment variables', () => {
  it('are recognised by their whole name', () => {
    expect(variables("env['WEFT_HOME'] ^(WEFT_|NODE_) WEFT_A1")).toEqual(['WEFT_A1', 'WEFT_HOME']);
  });

  it('that the programs read are those of the operating guide', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(variables(read(OPERATING))).toEqual(variables(sources.map(read).join('\n')));
  });
});

describe('registries', () => {
  it('are recognised', () => {
    expect(REGISTRIES.test('see registry.npmjs.org'.replace(NOT_A_HOST, ''))).toBe(true);
    expect(REGISTRIES.test('`docker.io/debian:stable-slim`'.replace(NOT_A_HOST, ''))).toBe(false);
  });

  it.each(documents)('%s names no host of a package registry', (file) => {
    expect(read(file).replace(NOT_A_HOST, '')).not.toMatch(REGISTRIES);
  });
});
