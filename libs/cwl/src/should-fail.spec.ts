/**
 * The conformance documents that must fail, and that are refused before anything runs, fail for their own reason. The suites are not part of the
 * project; where they lie beside it every `should_fail` test is either in the table or fails only when it runs.
 */
import { readdirSync, existsSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bindInputs, loadDocument, parseJob, resolveInputFiles, type Diagnostic } from './index.js';

interface SuiteTest {
  id: string;
  tool: string;
  job?: string | null;
  should_fail?: boolean;
}

/** Test → where it is refused, and with which codes. */
const REFUSED: Readonly<Record<string, string>> = {
  expression_any_nodefaultany: 'binding: missing-input',
  expression_any_null_nodefaultany: 'binding: missing-input',
  any_without_defaults_unspecified_fails: 'binding: missing-input',
  any_without_defaults_specified_fails: 'binding: missing-input',
  input_records_file_entry_with_format_and_bad_regular_input_file_format: 'files: wrong-format',
  input_records_file_entry_with_format_and_bad_entry_file_format: 'files: wrong-format',
  input_records_file_entry_with_format_and_bad_entry_array_file_format: 'files: wrong-format',
  timelimit_invalid: 'loading: wrong-type',
  all_non_null_multi_with_non_array_output: 'loading: incompatible-types',
  all_non_null_multi_with_non_array_output_nojs: 'loading: incompatible-types',
  invalid_syntax_v10_uses_v12_tool: 'loading: field-needs-newer-version wrong-type',
  invalid_syntax_v11_uses_v12_tool: 'loading: wrong-type',
  invalid_syntax_v10_uses_v12_workflow: 'loading: field-needs-newer-version',
  invalid_syntax_v11_uses_v12_workflow: 'loading: field-needs-newer-version',
  invalid_syntax_mixed_v12_workflow: 'loading: field-needs-newer-version wrong-type',
  'iwd-container-entryname2': 'loading: missing-requirement',
  'iwd-container-entryname3': 'loading: missing-requirement',
  'iwd-container-entryname4': 'loading: invalid-value',
  'iwd-check-literal-file': 'binding: input-type',
  'iwd-check-literal-dir': 'binding: input-type',
  loop_value_from_fail_no_requirement: 'loading: missing-requirement',
  loop_multi_source_input_fail_no_requirement: 'loading: missing-requirement',
};

/** What only running can tell: exit codes, time, the network, what a tool wrote, what an expression gives. */
const AT_RUN_TIME = new Set([
  ...[
    'wf_step_access_undeclared_param',
    'timelimit_basic',
    'timelimit_from_expression',
    'timelimit_basic_wf',
    'timelimit_from_expression_wf',
  ],
  ...['networkaccess_disabled', 'glob_outside_outputs_fails', 'illegal_symlink', 'loadcontents_limit', 'capture_files', 'capture_dirs'],
  ...['first_non_null_all_null', 'pass_through_required_fail', 'the_only_non_null_multi_true', 'conditionals_non_boolean_fail'],
  ...['first_non_null_all_null_nojs', 'pass_through_required_fail_nojs', 'the_only_non_null_multi_true_nojs'],
  ...['conditionals_non_boolean_fail_nojs', 'params_broken_null', 'length_for_non_array'],
  ...['filesarray_secondaryfiles2', 'secondary_files_missing'],
]);

const SUITES = ['v1.2', 'v1.3']
  .map((version) => join(process.cwd(), '..', 'shared', 'conformance', version))
  .filter((folder) => existsSync(join(folder, 'conformance_tests.json')));

const codes = (diagnostics: readonly Diagnostic[]): string =>
  [...new Set(diagnostics.filter((d) => d.severity === 'error').map((d) => d.code))].sort().join(' ');

/** Where a test is refused and why; 'accepted' where it would run. */
async function verdict(folder: string, { tool, job }: SuiteTest): Promise<string> {
  const read = (uri: string): Promise<string> => readFile(new URL(uri), 'utf8');
  const loaded = await loadDocument(`${pathToFileURL(folder).href}/${tool}`, { fetch: read });
  if (loaded.plan === undefined) return `loading: ${codes(loaded.diagnostics)}`;
  const jobUri = `${pathToFileURL(folder).href}/${job ?? ''}`;
  const given = job ? parseJob(await read(jobUri), jobUri) : {};
  const bound = bindInputs({ plan: loaded.plan, job: given, baseUri: jobUri });
  if (bound.inputs === undefined) return `binding: ${codes(bound.diagnostics)}`;
  const stat = (uri: string): Promise<{ kind: 'file' | 'directory' }> =>
    Promise.resolve({ kind: statSync(new URL(uri)).isDirectory() ? 'directory' : 'file' });
  const files = await resolveInputFiles(loaded.plan, bound.inputs, {
    stat,
    list: async (uri) => readdirSync(new URL(uri)).map((name) => ({ name })),
  });
  const wrong = codes(files.diagnostics.filter((d) => d.code !== 'expression'));
  return wrong === '' ? 'accepted' : `files: ${wrong}`;
}

test('no test is in both lists', () => expect(Object.keys(REFUSED).filter((id) => AT_RUN_TIME.has(id))).toEqual([]));

for (const folder of SUITES) {
  const tests = JSON.parse(readFileSync(join(folder, 'conformance_tests.json'), 'utf8')) as SuiteTest[];
  const failing = tests.filter((t) => t.should_fail === true);

  test.each(failing.map((t) => [t.id, t] as const))(`${folder.slice(-4)}: %s`, async (id, one) => {
    expect(await verdict(folder, one)).toBe(AT_RUN_TIME.has(id) ? 'accepted' : REFUSED[id]);
  });
}
