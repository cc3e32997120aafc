/** One mistake, one message: every document of the table and exactly what is said about it. */
import { DOCUMENTS } from './spec-support/mistaken-documents.js';
import { loadText, messagesOf } from './spec-support/load-text.js';

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
  'unsupported version': ["unsupported-version | main.cwl:1:13: error: CWL version 'draft-3' is not supported; v1.0, v1.1, v1.2, v1.3 are"],
  'expression that YAML takes apart': [
    "unknown-field | main.cwl:11:5: error: an input binding has no field '$(inputs.x ? \"a\"'; text that contains ': ' must be in quotes",
  ],
  'nothing more is said of an unsupported version': [
    "unsupported-version | main.cwl:1:13: error: CWL version 'draft-3' is not supported; v1.0, v1.1, v1.2, v1.3 are",
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
  'not a finite number': ['yaml-syntax | main.cwl:8:17: error: Infinity is not a number that JSON can hold'],
  'number for a string': [
    'wrong-type | main.cwl:3:21: error: an item of \'baseCommand\' must be a string, not the number 5; write "5" in quotes',
  ],
  'string for a number': ["wrong-type | main.cwl:8:17: error: 'position' must be a whole number or an expression, not 'first'"],
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
  'requirement twice': ["duplicate-id | main.cwl:12:13: error: 'requirements' has two items of the class 'DockerRequirement'"],
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
  'loop before v1.3': [
    "field-needs-newer-version | main.cwl:7:22: error: the field 'loop' of a step needs CWL v1.3; this document declares v1.2",
  ],
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
