// One Jest project per kind of test, so that `./weft test` can run and report each: unit (no services), redis, docker, e2e.
// The kind is the file name: x.spec.ts, x.redis.spec.ts, x.docker.spec.ts, x.e2e.spec.ts.
import { execFileSync } from 'node:child_process';

/**
 * The cases that properties are tried with (tests/fast-check.mjs): those of this tree, wherever it lies and whenever it is tested. `npm run explore` draws any,
 * and more.
 */
function properties() {
  const { WEFT_PROPERTY_SEED: chosen, WEFT_PROPERTY_TIMES: times = '1', WEFT_PROPERTY_SECONDS: seconds = '30' } = process.env;
  const seed = chosen === undefined ? seedOfTree() : chosen === 'any' ? undefined : Number(chosen);
  return { ...(seed !== undefined && { seed }), times: Number(times), seconds: Number(seconds) };
}

function seedOfTree() {
  try {
    const tree = execFileSync('git', ['rev-parse', 'HEAD^{tree}'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return parseInt(tree.slice(0, 7), 16);
  } catch {
    // No clone: an archive of the sources is one tree.
    return 1;
  }
}

const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      },
      module: { type: 'es6' },
    },
  ],
};
const base = {
  // Nothing else is looked through: what people keep in their clone may be large.
  roots: ['apps', 'libs', 'tests'].map((d) => `<rootDir>/${d}`),
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^fast-check$': '<rootDir>/tests/fast-check.mjs', '^(\\.{1,2}/(?!.*node_modules).*)\\.js$': '$1' },
  globals: { WEFT_PROPERTIES: properties() },
  transform,
  transformIgnorePatterns: ['/node_modules/'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.nx'],
};
const project = (displayName, testMatch, extra = {}) => ({ ...base, displayName, testMatch, ...extra });
const here = (suffix) => ['apps', 'libs', 'tests'].map((d) => `<rootDir>/${d}/**/*${suffix}`);

export default {
  watchman: false,
  // For what hangs, and the only such limit. How long a test takes depends on what else the machine does, and says nothing.
  testTimeout: 600_000,
  projects: [
    project('unit', here('.spec.ts'), { testPathIgnorePatterns: ['/node_modules/', '\\.(redis|docker|e2e)\\.spec\\.ts$'] }),
    project('redis', here('.redis.spec.ts')),
    project('docker', here('.docker.spec.ts')),
    project('e2e', here('.e2e.spec.ts')),
  ],
};
