import { classifyExit, describeExit } from './exit.js';

it.each<[number, string]>([
  [1, 'the tool exited with code 1'],
  [126, 'the tool exited with code 126'],
  [128, 'the tool exited with code 128'],
  [134, 'the tool exited with code 134 (SIGABRT: it gave up by itself)'],
  [137, 'the tool exited with code 137 (SIGKILL: weft did not do that; often'],
  [138, 'the tool exited with code 138 (SIGUSR1)'],
  [139, 'the tool exited with code 139 (SIGSEGV: it accessed memory that is not its own)'],
  [141, 'the tool exited with code 141 (SIGPIPE)'],
  [143, 'the tool exited with code 143 (SIGTERM: somebody asked it to end; weft did not)'],
  [255, 'the tool exited with code 255'],
])('exit code %d in words', (code, text) => {
  const said = describeExit(code);
  if (text.endsWith('often')) expect(said).toContain(text);
  else expect(said).toBe(text);
});

it.each<[number, string]>([
  [0, 'success'],
  [139, 'permanent'],
  [3, 'temporary'],
  [4, 'success'],
])('exit code %d is a %s', (code, expected) => {
  expect(classifyExit({ successCodes: [4], temporaryFailCodes: [3], permanentFailCodes: [] }, code)).toBe(expected);
});
