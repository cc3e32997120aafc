/**
 * One mistake, one message: every document and job of the tables and exactly what is said about it. The table in docs/mistakes.md is made from
 * these; WEFT_UPDATE_DOCS=1 writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bindInputs, formatDiagnostic, parseJob } from './index.js';
import { DOCUMENTS } from './spec-support/mistaken-documents.js';
import { JOB_DOCUMENT, JOBS } from './spec-support/mistaken-jobs.js';
import { mistakesPage } from './spec-support/mistakes-page.js';
import { loadText, messagesOf, planOf } from './spec-support/load-text.js';

const EXPECTED: Readonly<Record<string, string[]>> = {
  'unknown field': ["unknown-field | main.cwl:8:7: error: an input binding has no field 'positon'; did you mean 'position'?"],
  'unknown field without a neighbour': ["unknown-field | main.cwl:10:1: error: a CommandLineTool has no field 'colour'"],
  'two mistakes are both told': [
    "unknown-field | main.cwl:3:1: error: a CommandLineTool has no field 'baseComand'; did you mean 'baseCommand'?",
    "unknown-field | main.cwl:8:7: error: an input binding has no field 'positon'; did you mean 'position'?",
  ],
  'a misspelt required field is not also missing': [
    "unknown-field | main.cwl:4:1: error: a CommandLineTool has no field 'input'; did you mean 'inputs'?",
  ],
  'missing field': ["missing-field | main.cwl:1:1: error: a CommandLineTool needs the field 'outputs'"],
  'empty required field': ["missing-field | main.cwl:9:1: error: the field 'outputs' of a CommandLineTool is empty"],
  'unknown class': ["unknown-class | main.cwl:2:8: error: there is no process class 'CommandlineTool'; did you mean 'CommandLineTool'?"],
  'missing class': [
    "missing-field | main.cwl:1:1: error: a process needs the field 'class': CommandLineTool, ExpressionTool, Workflow, Operation",
  ],
  'missing version': ["missing-field | main.cwl:1:1: error: the document needs the field 'cwlVersion'; write cwlVersion: v1.2"],
  'version as a number': ['wrong-type | main.cwl:1:13: error: \'cwlVersion\' must be a string, not the number 1.2; write "1.2" in quotes'],
  'unsupported version': [
    "unsupported-version | main.cwl:1:13: error: CWL version 'draft-3' is not supported; v1.0, v1.1, v1.2, v1.3 are; cwl-upgrader, from PyPI, writes draft-3 documents anew as v1.2",
  ],
  'expression that YAML takes apart': [
    "unknown-field | main.cwl:11:5: error: an input binding has no field '$(inputs.x ? \"a\"'; text that contains ': ' must be in quotes",
  ],
  'nothing more is said of an unsupported version': [
    "unsupported-version | main.cwl:1:13: error: CWL version 'draft-3' is not supported; v1.0, v1.1, v1.2, v1.3 are; cwl-upgrader, from PyPI, writes draft-3 documents anew as v1.2",
  ],
  'key without a colon': ["yaml-syntax | main.cwl:4:1: error: not valid YAML: a key that starts on this line is not followed by ':'"],
  'brackets in flow text': ["yaml-syntax | main.cwl:7:35: error: not valid YAML: text that contains '[' must be in quotes here"],
  'not YAML': [
    "yaml-syntax | main.cwl:3:1: error: not valid YAML: what starts with '[' is not closed before this line, or this line is not indented enough",
  ],
  'tab as indentation': ['yaml-syntax | main.cwl:4:1: error: not valid YAML: tabs are not allowed as indentation'],
  'two documents': ["yaml-syntax | main.cwl:2:1: error: not valid YAML: a second document starts at '---'; only one is read"],
  empty: ['yaml-syntax | main.cwl:1:1: error: the document is empty'],
  'not a mapping': ["wrong-type | main.cwl:1:1: error: a CWL document must be a mapping, not 'just text'"],
  'duplicate key': ["duplicate-key | main.cwl:10:1: error: key 'baseCommand' is written twice in one mapping"],
  'unknown alias': ["yaml-syntax | main.cwl:6:11: error: alias '*text' names no anchor above it"],
  'alias in itself': ["document-limit | main.cwl:3:12: error: alias '*h' is part of what it names"],
  'not a finite number': ['yaml-syntax | main.cwl:8:17: error: .inf is not a number that JSON can hold'],
  'number for a string': [
    'wrong-type | main.cwl:3:21: error: an item of \'baseCommand\' must be a string, not the number 5; write "5" in quotes',
  ],
  'string for a number': [
    "wrong-type | main.cwl:8:17: error: 'position' must be a whole number or, since CWL v1.1, an expression, not 'first'",
  ],
  'string for a list': ["wrong-type | main.cwl:10:12: error: 'arguments' must be a list, not '-n'"],
  'mapping for a string': ["wrong-type | main.cwl:3:15: error: 'baseCommand' must be a string, not a mapping"],
  'invalid choice': [
    "invalid-value | main.cwl:10:54: error: 'loadListing' must be one of 'no_listing', 'shallow_listing', 'deep_listing', not 'shallow_listin'; did you mean 'shallow_listing'?",
  ],
  'unknown type': ["unknown-type | main.cwl:6:11: error: there is no type 'strng'; did you mean 'string'?"],
  'type of another language': ["unknown-type | main.cwl:6:11: error: there is no type 'integer'; did you mean 'int'?"],
  'type with its parts beside it': [
    "invalid-type | main.cwl:6:5: error: 'array' needs its 'items' in the same mapping; write type: {type: array, items: …}",
  ],
  'array without items': ["missing-field | main.cwl:6:12: error: an array type needs the field 'items'"],
  'enum symbols are strings': [
    'wrong-type | main.cwl:6:37: error: an item of \'symbols\' must be a string, not the number 1; write "1" in quotes',
  ],
  'record field without a type': ["missing-field | main.cwl:6:36: error: a record field needs the field 'type'"],
  'recursive type': ["recursive-type | main.cwl:13:51: error: the type 'tree' contains itself"],
  'stdout deep in a type': ["invalid-type | main.cwl:9:25: error: 'stdout' can only be the whole type of an output of a CommandLineTool"],
  'stdout with a binding': ["conflicting-fields | main.cwl:9:31: error: an output of type 'stdout' cannot have an 'outputBinding'"],
  'stdin twice': ["conflicting-fields | main.cwl:8:5: error: only one input can have the type 'stdin'"],
  'stdin and stdin': ["conflicting-fields | main.cwl:6:5: error: an input of type 'stdin' and the field 'stdin' exclude each other"],
  'duplicate id': ["duplicate-id | main.cwl:5:10: error: 'inputs' has two items named 'a'"],
  'item without an id': ["missing-field | main.cwl:4:5: error: an input needs the field 'id'"],
  'misspelt requirement': [
    "unknown-requirement | main.cwl:11:3: error: there is no requirement 'DokerRequirement'; did you mean 'DockerRequirement'?",
  ],
  'unsupported requirement': ["unsupported-requirement | main.cwl:11:12: error: the requirement 'ex:Quantum' is not supported"],
  'unknown hint': ["unknown-hint | main.cwl:11:3: note: the hint 'ex:Quantum' is not known here and is ignored"],
  'requirement without a class': ["missing-field | main.cwl:11:5: error: an item of 'requirements' needs the field 'class'"],
  'requirement twice': [
    "duplicate-id | main.cwl:12:13: warning: 'requirements' has two items of the class 'DockerRequirement': the last counts",
  ],
  'field of a hint': ["unknown-field | main.cwl:11:25: warning: a ResourceRequirement has no field 'coreMin'; did you mean 'coresMin'?"],
  'symbol with a slash': [
    "shortened-symbol | main.cwl:6:34: warning: the symbol 'x/a' counts as 'a': symbols have neither '/' nor '#'",
    "shortened-symbol | main.cwl:6:39: warning: the symbol 'b#c' counts as 'c': symbols have neither '/' nor '#'",
  ],
  'two symbols that are one': [
    "shortened-symbol | main.cwl:6:34: warning: the symbol 'x/a' counts as 'a': symbols have neither '/' nor '#'",
    "invalid-value | main.cwl:6:39: error: the symbol 'y/a' counts as 'a', as 'x/a' does: symbols have neither '/' nor '#'",
  ],
  'field of a requirement': [
    "unknown-field | main.cwl:11:25: error: a ResourceRequirement has no field 'coreMin'; did you mean 'coresMin'?",
  ],
  'negative time limit': [
    "wrong-type | main.cwl:11:30: error: 'timelimit' must be a number of seconds, 0 or more, or an expression, not the number -1",
  ],
  'environment value as a number': [
    'wrong-type | main.cwl:11:39: error: \'envValue\' must be a string, not the number 3; write "3" in quotes',
  ],
  'entryname out of the directory': [
    "invalid-value | main.cwl:11:42: error: 'entryname' may not lead out of the working directory: '../up'",
  ],
  'field of a later version': [
    "field-needs-newer-version | main.cwl:7:5: error: the field 'loadListing' of an input needs CWL v1.1; this document declares v1.0",
  ],
  'requirement of a later version': [
    "field-needs-newer-version | main.cwl:11:3: error: 'NetworkAccess' needs CWL v1.1; this document declares v1.0",
  ],
  'fraction of a core before v1.2': [
    "wrong-type | main.cwl:11:35: error: 'coresMin' must be a number (a whole number before CWL v1.2) or an expression, not the number 0.5",
  ],
  'import of nothing': ["cannot-read | main.cwl:6:12: error: 'file:///work/types.yml' is not in the bundle that was sent"],
  'import of itself': ["import-cycle | b.yml:1:2: error: 'a.yml' imports itself: a.yml → b.yml → a.yml"],
  'graph without main': ["unknown-fragment | main.cwl:1:1: error: 'main.cwl' has no '#main'; it has 'a', 'b'"],
  'run of nothing': ["cannot-read | main.cwl:7:12: error: 'file:///work/eco.cwl' is not in the bundle that was sent"],
  'run of itself': ["recursive-run | main.cwl:7:12: error: 'main.cwl' runs itself"],
  'run is no address': ["wrong-type | main.cwl:7:12: error: 'run' must be the address of a process or a process, not the number 5"],
  'mistake in a tool that is run': [
    "unknown-field | bad.cwl:8:7: error: an input binding has no field 'positon'; did you mean 'position'?",
  ],
  'source names no input': ["unknown-source | main.cwl:7:36: error: the workflow has no input 'tex'; did you mean 'text'?"],
  'source names a step': [
    "unknown-source | main.cwl:5:41: error: 'a' is a step; a source names one of its outputs, as in 'step/output'; did you mean 'a/said'?",
  ],
  'source names no step': ["unknown-source | main.cwl:5:41: error: there is no step 'b', which 'b/said' names; did you mean 'a/said'?"],
  'source names no output': ["unknown-source | main.cwl:5:41: error: step 'a' has no output 'sad'; did you mean 'a/said'?"],
  'output not listed': ["unknown-source | main.cwl:5:41: error: step 'a' does not list 'said' in its 'out'"],
  'out names no output': ["unknown-output | main.cwl:7:49: error: what step 'a' runs has no output 'sayd'; did you mean 'said'?"],
  'misspelt step input': ["unknown-step-input | main.cwl:7:27: error: what step 'a' runs has no input 'mesage'; did you mean 'message'?"],
  'required input left out': [
    "missing-input | main.cwl:7:22: error: step 'a' must give the input 'message' a value: it is required and has no default",
  ],
  'required input without a source': [
    "missing-input | main.cwl:7:27: error: the required input 'message' of step 'a' has neither 'source' nor 'default' nor 'valueFrom'",
  ],
  'unused step input': ["unused-step-input | main.cwl:7:42: warning: what step 'a' runs has no input 'other'; its value is not used"],
  cycle: ['cycle | main.cwl:8:24: error: these steps wait for each other: a → b → c → a'],
  'step that waits for itself': ["cycle | main.cwl:7:77: error: step 'a' waits for its own output 'a/o'"],
  'scatter over nothing': [
    "unknown-scatter | main.cwl:7:31: error: step 'a' has no input 'mesage' to scatter over; did you mean 'message'?",
  ],
  'scatter without a method': [
    "missing-field | main.cwl:7:22: error: a step that scatters over several inputs needs the field 'scatterMethod'",
  ],
  'scatter without its feature': [
    "missing-requirement | main.cwl:7:22: error: scatter needs 'ScatterFeatureRequirement' in the requirements of the workflow",
  ],
  'several sources without their feature': [
    "missing-requirement | main.cwl:7:37: error: taking a value from several sources needs 'MultipleInputFeatureRequirement' in the requirements of the workflow",
  ],
  'valueFrom without its feature': [
    "missing-requirement | main.cwl:7:37: error: 'valueFrom' of a step input needs 'StepInputExpressionRequirement' in the requirements of the workflow",
  ],
  'subworkflow without its feature': [
    "missing-requirement | main.cwl:7:7: error: running a workflow as a step needs 'SubworkflowFeatureRequirement' in the requirements of the workflow",
  ],
  'types that cannot fit': ["incompatible-types | main.cwl:7:49: error: 'text' gives string, but input 'count' of step 'a' takes int?"],
  'list for one': ["incompatible-types | main.cwl:7:36: error: 'texts' gives string[], but input 'message' of step 'a' takes string"],
  'null for something': ["may-be-null | main.cwl:7:36: warning: 'text' may be null, but input 'message' of step 'a' takes string"],
  'output type that cannot fit': ["incompatible-types | main.cwl:5:40: error: 'a/said' gives File, but output 'o' takes int"],
  'when before v1.2': [
    "field-needs-newer-version | main.cwl:7:22: error: the field 'when' of a step needs CWL v1.2; this document declares v1.1",
  ],
  'when is no expression': ["wrong-type | main.cwl:7:28: error: 'when' must be an expression: $(…) or ${…}, not true"],
  'JavaScript without its requirement': [
    "missing-requirement | main.cwl:10:13: error: JavaScript needs 'InlineJavascriptRequirement'; without it only parameter references such as $(inputs.x.path) are read; add it to the requirements of the tool",
  ],
  'JavaScript in a step without its requirement': [
    "missing-requirement | main.cwl:7:62: error: JavaScript needs 'InlineJavascriptRequirement'; without it only parameter references such as $(inputs.x.path) are read; add it to the requirements of the workflow",
  ],
  'JavaScript in a tool that nobody gives it': [
    "missing-requirement | tool.cwl:10:9: error: JavaScript needs 'InlineJavascriptRequirement'; without it only parameter references such as $(inputs.x.path) are read; add it to the requirements of the tool",
  ],
  'absolute entryname without a container': [
    "missing-requirement | main.cwl:11:53: error: 'entryname' may only be absolute in a container: '/etc/x'; add 'DockerRequirement' to the requirements (a hint is not enough)",
  ],
  'container without an image': [
    "missing-field | main.cwl:11:22: error: a DockerRequirement names no image: it needs 'dockerPull' or another way to get one",
  ],
  'image name with a scheme': [
    "invalid-value | main.cwl:11:35: error: 'dockerPull' does not name an image: it begins with 'docker://', and a name has no scheme; write [registry/]path[:tag][@digest], as for docker pull",
  ],
  'image name that is an address': [
    "invalid-value | main.cwl:11:35: error: 'dockerPull' does not name an image: '..' is no registry: host or host:port; write [registry/]path[:tag][@digest], as for docker pull",
  ],
  'image name with capitals': [
    "invalid-value | main.cwl:11:38: error: 'dockerImageId' does not name an image: 'Aligner' has capital letters, and a name has none: 'aligner'; write [registry/]path[:tag][@digest], as for docker pull",
  ],
  'relative output directory in a container': [
    "invalid-value | main.cwl:11:66: error: 'dockerOutputDirectory' must be an absolute path in the container, not 'out'",
  ],
  'maximum below minimum': ["invalid-value | main.cwl:11:39: error: 'ramMax' (1024) is less than 'ramMin' (4096)"],
  'output listed twice': ["duplicate-id | main.cwl:7:55: error: 'out' names 'said' twice"],
  'scatter over the same input twice': ["duplicate-id | main.cwl:7:41: error: 'scatter' names 'message' twice"],
  'two processes of one name': ["duplicate-id | main.cwl:4:10: error: '$graph' has two items named 'main'"],
  'default of more than 64 bits': [
    'inexact-number | main.cwl:7:14: error: the integer 9223372036854775808 has more than 64 bits, which no type of CWL holds; make it a string: type string, and the value in quotes',
  ],
  'unknown process of another file': [
    "unknown-fragment | main.cwl:7:12: error: 'tools.cwl' has no '#ecko'; it has 'echo', 'cat'; did you mean 'echo'?",
  ],
  'loop before v1.3': [
    "field-needs-newer-version | main.cwl:7:22: error: the field 'loop' of a step needs CWL v1.3; this document declares v1.2",
  ],
};

const EXPECTED_OF_JOBS: Readonly<Record<string, string>> = {
  'required input is missing': "missing-input | job.yml: error: input 'reads' is missing (File: the reads to align)",
  'input is misspelt':
    "missing-input | job.yml:1:1: error: input 'reads' is missing (File: the reads to align); is 'raeds' meant to be 'reads'?",
  'input is null': "missing-input | job.yml:1:1: error: input 'reads' must not be null (File: the reads to align)",
  'input does not exist': "unknown-input | job.yml:2:1: warning: there is no input 'colour'; it is ignored",
  'path instead of a File':
    'input-type | job.yml:1:8: error: input \'reads\' must be File; it is the string "r.fq"; write {class: File, path: r.fq}',
  'File without its class': "input-type | job.yml:1:9: error: input 'reads' must be File; it is a map (path); add class: File",
  'File of the wrong class': "input-type | job.yml:1:9: error: input 'reads' must be File; it is a Directory",
  'class in lower case': "input-type | job.yml:1:9: error: input 'reads' must be File; it is a map (class, path); write class: File",
  'File without a place': "input-type | job.yml:1:8: error: input 'reads': a File needs 'path', 'location' or 'contents'",
  'empty path': "input-type | job.yml:1:28: error: input 'reads': 'path' must be a string that is not empty",
  'basename with a slash': "input-type | job.yml:1:44: error: input 'reads': 'basename' must be a plain name; this one holds a \"/\"",
  'secondaryFiles as paths':
    "input-type | job.yml:1:51: error: secondaryFiles of input 'reads' must be a list of Files and Directories; write {class: File, path: …}",
  'number in quotes': 'input-type | job.yml:2:10: error: input \'threads\' must be int; it is the string "4"; remove the quotes',
  'fraction for a whole number': "input-type | job.yml:2:10: error: input 'threads' must be int; it is the number 1.5",
  'number too large for int': "input-type | job.yml:2:10: error: input 'threads' must be int; it is the number 4294967296",
  'number of more than 64 bits': "input-type | job.yml:2:8: error: input 'total' must be long; it is the number 9223372036854775808",
  'text for a number': 'input-type | job.yml:2:8: error: input \'ratio\' must be double; it is the string "half"',
  'choice that does not exist':
    "input-type | job.yml:2:7: error: input 'mode' must be one of fast, exact; it is 'fats'; did you mean 'fast'?",
  'one value for a list':
    'input-type | job.yml:2:8: error: input \'names\' must be string[]; it is the string "anna"; write it as a list, also where there is only one: [ … ]',
  'number in a list of names': "input-type | job.yml:2:15: error: item 2 of input 'names' must be string; it is the number 5",
  'File for a Directory': "input-type | job.yml:2:10: error: input 'folder' must be Directory; it is a File",
  'record without a field': "missing-input | job.yml:2:10: error: field 'id' of input 'sample' is missing (string)",
  'record with a field too many':
    "unknown-field | job.yml:2:17: warning: input 'sample' has no field 'agee'; it is ignored; did you mean 'age'?",
  'list instead of a job':
    'wrong-type | job.yml:1:1: error: a job maps the names of inputs to values; this is a list; write one line per input: name: value',
  'duplicate key': "duplicate-key | job.yml:2:1: error: key 'reads' is written twice in one mapping",
  'not YAML':
    "yaml-syntax | job.yml:2:1: error: not valid YAML: what starts with '{' is not closed before this line, or this line is not indented enough",
  'unresolved import':
    "unresolved-import | job.yml:2:12: error: '$import: more.yml' cannot be resolved here; write its content into the job",
  'hints in a job':
    "unknown-input | job.yml:2:1: warning: 'cwl:hints' in a job means nothing; it is ignored; write 'cwl:requirements'; hints of a job are not part of CWL",
  'misspelt requirement in a job':
    "unknown-requirement | job.yml:2:28: error: there is no requirement 'EnvVarRequirment'; did you mean 'EnvVarRequirement'?",
};

describe('mistakes', () => {
  test('every document has its expectation', () => expect(Object.keys(EXPECTED)).toEqual(Object.keys(DOCUMENTS)));

  test.each(Object.entries(DOCUMENTS))('%s', async (name, document) => {
    expect(await messagesOf(document)).toEqual(EXPECTED[name]);
  });

  test('only what is unsupported makes a document unsupported', async () => {
    const unsupported = await loadText(String(DOCUMENTS['unsupported requirement']));
    expect([unsupported.unsupported, unsupported.plan]).toEqual([true, undefined]);
    const both = await loadText(String(DOCUMENTS['unsupported requirement']).replace('position', 'positon'));
    expect(both.unsupported).toBe(false);
  });

  test('warnings and notes do not stand in the way of a plan', async () => {
    expect((await loadText(String(DOCUMENTS['unknown hint']))).plan).toBeDefined();
  });
});

describe('mistakes in jobs', () => {
  const uri = 'file:///work/job.yml';

  test('every job has its expectation', () => expect(Object.keys(EXPECTED_OF_JOBS)).toEqual(Object.keys(JOBS)));

  test.each(Object.entries(JOBS))('%s', async (name, text) => {
    const bound = bindInputs({ plan: await planOf(JOB_DOCUMENT), job: parseJob(text, uri), baseUri: uri });
    expect(bound.diagnostics.map((d) => `${d.code} | ${formatDiagnostic(d, '/work')}`)).toEqual([EXPECTED_OF_JOBS[name]]);
    expect(bound.inputs === undefined).toBe(bound.diagnostics.some((d) => d.severity === 'error'));
  });
});

test('docs/mistakes.md says what is said', () => {
  const path = join(process.cwd(), 'docs', 'mistakes.md');
  const page = mistakesPage({ documents: EXPECTED, jobs: EXPECTED_OF_JOBS });
  if (process.env['WEFT_UPDATE_DOCS'] === '1') writeFileSync(path, page);
  expect(readFileSync(path, 'utf8')).toBe(page);
});
