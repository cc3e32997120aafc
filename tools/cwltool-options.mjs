// Writes the list of cwltool's options that apps/cli/src/commands/cwltool-options.json holds anew, from PyPI's newest cwltool (needs Python with
// venv, and pip). `weft run` takes or answers each of them; its spec compares.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TARGET = fileURLToPath(new URL('../apps/cli/src/commands/cwltool-options.json', import.meta.url));
const DUMP = `
import json
from importlib.metadata import version
from cwltool.argparser import arg_parser
options = [
    {"names": action.option_strings, "value": action.nargs != 0}
    for action in arg_parser()._actions
    if action.option_strings
]
print(json.dumps({"program": "cwltool", "version": version("cwltool"), "options": options}, indent=2))
`;

/** What the command prints; ends this program where it fails. */
function must(command, args) {
  const { status, stdout, error } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status === 0) return stdout;
  console.error(`${command} ${args.slice(0, 3).join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'weft-cwltool-'));
try {
  must('python3', ['-m', 'venv', folder]);
  must(join(folder, 'bin/pip'), ['install', '--quiet', 'cwltool']);
  writeFileSync(TARGET, must(join(folder, 'bin/python'), ['-c', DUMP]));
  must('npx', ['prettier', '--write', TARGET]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
