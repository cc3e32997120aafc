// One Jest project per kind of test, so that `./weft test` can run and report each: unit (no services), redis, docker, e2e.
// The kind is the file name: x.spec.ts, x.redis.spec.ts, x.docker.spec.ts, x.e2e.spec.ts.
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
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
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
