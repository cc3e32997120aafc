// What no import may do, whatever the folder (the table of who may import whom is in eslint.config.mjs). Run by tools/lint.mjs.
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
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist|gen|__pycache__)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
