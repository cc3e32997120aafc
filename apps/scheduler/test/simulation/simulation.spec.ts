import { seededHistories } from '@weft/testing';

seededHistories({
  program: new URL('./program.ts', import.meta.url),
  replay: 'NODE_OPTIONS=--experimental-vm-modules npx jest apps/scheduler/test/simulation/simulation.spec.ts --selectProjects unit',
});
