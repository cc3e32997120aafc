// What no import may do, whatever the folder (the table of who may import whom is in eslint.config.mjs). Run by tools/lint.mjs.
/** The scheduler's rooms from the bottom up: what a run is, what becomes of it, and who asks. A room imports from those before it alone. */
const SCHEDULER = [
  ...['kernel', 'secrets', 'plans', 'reach', 'loading', 'runs', 'jobs', 'placement', 'admission', 'commands', 'execution'],
  ...['retention', 'intake', 'api', 'metrics', 'wiring'],
];
const room = (name) => `^apps/scheduler/src/${name}/`;
const SPEC = '\\.spec\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'A file that is needed by what it needs cannot be read alone: give what both need a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'machines-alone',
      comment: "One machine of the engine knows no other: what is another's is handed over as Work (libs/engine/src/turn.ts).",
      severity: 'error',
      from: { path: '^libs/engine/src/.*\\.machine\\.ts$' },
      to: { path: '\\.machine\\.ts$' },
    },
    {
      name: 'machines-by-decide',
      comment: 'Only decide.ts says which machine does what.',
      severity: 'error',
      from: { path: '^libs/engine/', pathNot: '/decide\\.ts$' },
      to: { path: '\\.machine\\.ts$' },
    },
    ...SCHEDULER.map((name, at) => ({
      name: `scheduler-${name}`,
      comment: 'Rooms of the scheduler import downwards: give what both need to the lower one, or let the upper one hand it over (a port).',
      severity: 'error',
      from: { path: room(name), pathNot: SPEC },
      to: { path: [...SCHEDULER.slice(at + 1).map(room), '^apps/scheduler/src/[^/]+$'] },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist|gen|__pycache__)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
