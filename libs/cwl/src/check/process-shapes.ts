/**
 * Tables: what CommandLineTool, ExpressionTool, Workflow, Operation and their parts may contain.
 * Source: CWL v1.2 CommandLineTool.html and Workflow.html §5, and the v1.0, v1.1 and v1.3 texts for `since`.
 * Types (`type`, `items`, `fields`) are checked where they are resolved (build/types.ts), requirements in requirement-shapes.ts.
 */
import {
  any,
  boolean,
  choice,
  expression,
  idMap,
  integer,
  list,
  oneOrMany,
  optional,
  outputEval,
  position,
  record,
  required,
  string,
  union,
} from './shape.js';
import type { FieldShape, RecordShape } from './shape.js';
import { requirementList } from './requirement-shapes.js';
import { exactDefault, misplacedMember, outputTypeRules, secondaryFiles, stepRules, toolRules, typePlacement } from './rules.js';

const LOAD_LISTING = choice('no_listing', 'shallow_listing', 'deep_listing');
const LINK_MERGE = choice('merge_nested', 'merge_flattened');
const PICK_VALUE = choice('first_non_null', 'the_only_non_null', 'all_non_null');

type Fields = Record<string, FieldShape>;

const text: Fields = { id: optional(string), label: optional(string), doc: optional(oneOrMany(string)) };

const inputBindingFields: Fields = {
  loadContents: optional(boolean),
  position: optional(position),
  prefix: optional(string),
  separate: optional(boolean),
  itemSeparator: optional(string),
  valueFrom: optional(string),
  shellQuote: optional(boolean),
};
const INPUT_BINDING: RecordShape = { says: 'an input binding', fields: inputBindingFields };

const OUTPUT_BINDING: RecordShape = {
  says: 'an output binding',
  fields: {
    glob: optional(oneOrMany(string)),
    loadContents: optional(boolean),
    loadListing: optional(LOAD_LISTING, 'v1.1'),
    outputEval: optional(outputEval),
  },
};

const fileOptions: Fields = {
  secondaryFiles: optional(secondaryFiles),
  streamable: optional(boolean),
  format: optional(oneOrMany(string)),
};
const loading: Fields = { loadContents: optional(boolean, 'v1.1'), loadListing: optional(LOAD_LISTING, 'v1.1') };

const INPUT: RecordShape = {
  says: 'an input',
  fields: {
    ...text,
    type: required(any),
    default: optional(any),
    inputBinding: optional(record(INPUT_BINDING)),
    ...fileOptions,
    ...loading,
  },
  leaves: misplacedMember,
  also: (node, context) => {
    typePlacement(node, context);
    exactDefault(node, context);
  },
};

const OUTPUT: RecordShape = {
  says: 'an output',
  fields: { ...text, type: required(any), outputBinding: optional(record(OUTPUT_BINDING)), ...fileOptions },
  leaves: misplacedMember,
  also: (node, context) => {
    typePlacement(node, context);
    outputTypeRules(node, context);
  },
};

const linking: Fields = { linkMerge: optional(LINK_MERGE), pickValue: optional(PICK_VALUE, 'v1.2') };

const WORKFLOW_OUTPUT: RecordShape = {
  says: 'a workflow output',
  fields: {
    ...text,
    type: required(any),
    outputSource: optional(oneOrMany(string)),
    outputBinding: optional(record(OUTPUT_BINDING)),
    ...linking,
    ...fileOptions,
  },
  leaves: misplacedMember,
  also: typePlacement,
};

export const RECORD_FIELD: RecordShape = {
  says: 'a record field',
  fields: {
    name: optional(string),
    type: required(any),
    label: optional(string),
    doc: optional(oneOrMany(string)),
    inputBinding: optional(record(INPUT_BINDING)),
    outputBinding: optional(record(OUTPUT_BINDING)),
    ...fileOptions,
    ...loading,
  },
  leaves: misplacedMember,
  also: typePlacement,
};

const typeText: Fields = {
  type: required(string),
  id: optional(string),
  name: optional(string),
  label: optional(string),
  doc: optional(oneOrMany(string)),
  inputBinding: optional(record(INPUT_BINDING)),
};
export const ARRAY_TYPE: RecordShape = {
  says: 'an array type',
  fields: { ...typeText, items: required(any), outputBinding: optional(record(OUTPUT_BINDING)) },
};
export const RECORD_TYPE: RecordShape = { says: 'a record type', fields: { ...typeText, fields: optional(any) } };
export const ENUM_TYPE: RecordShape = { says: 'an enum type', fields: { ...typeText, symbols: required(list(string)) } };

const processFields: Fields = {
  ...text,
  class: required(string),
  cwlVersion: optional(string),
  intent: optional(oneOrMany(string), 'v1.2'),
  requirements: optional(requirementList('requirements')),
  hints: optional(requirementList('hints')),
  $namespaces: optional(any),
  $schemas: optional(any),
  $base: optional(any),
};
const inputs: Fields = { inputs: required(idMap(INPUT, 'id', 'type')) };
const toolOutputs: Fields = { outputs: required(idMap(OUTPUT, 'id', 'type')) };

const COMMAND_LINE_TOOL: RecordShape = {
  says: 'a CommandLineTool',
  fields: {
    ...processFields,
    ...inputs,
    ...toolOutputs,
    baseCommand: optional(oneOrMany(string)),
    arguments: optional(list(union(string, record(INPUT_BINDING)))),
    stdin: optional(string),
    stdout: optional(string),
    stderr: optional(string),
    successCodes: optional(list(integer)),
    temporaryFailCodes: optional(list(integer)),
    permanentFailCodes: optional(list(integer)),
  },
  also: toolRules,
};

const EXPRESSION_TOOL: RecordShape = {
  says: 'an ExpressionTool',
  fields: { ...processFields, ...inputs, ...toolOutputs, expression: required(string) },
};

const OPERATION: RecordShape = { says: 'an Operation', fields: { ...processFields, ...inputs, ...toolOutputs } };

const stepInputFields: Fields = {
  id: optional(string),
  label: optional(string, 'v1.1'),
  default: optional(any),
  valueFrom: optional(string),
  ...linking,
  ...loading,
};
const STEP_INPUT: RecordShape = {
  says: 'a step input',
  fields: { ...stepInputFields, source: optional(oneOrMany(string)) },
  also: exactDefault,
};
const LOOP_INPUT: RecordShape = {
  says: 'a loop input',
  fields: { ...stepInputFields, outputSource: optional(oneOrMany(string)) },
  also: exactDefault,
};
const STEP_OUTPUT: RecordShape = { says: 'a step output', fields: { id: required(string) } };

const STEP: RecordShape = {
  says: 'a step',
  fields: {
    ...text,
    in: required(idMap(STEP_INPUT, 'id', 'source')),
    out: required(list(union(string, record(STEP_OUTPUT)))),
    run: required(any),
    requirements: optional(requirementList('requirements')),
    hints: optional(requirementList('hints')),
    scatter: optional(oneOrMany(string)),
    scatterMethod: optional(choice('dotproduct', 'nested_crossproduct', 'flat_crossproduct')),
    when: optional(expression, 'v1.2'),
    loop: optional(idMap(LOOP_INPUT, 'id', 'outputSource'), 'v1.3'),
    outputMethod: optional(choice('last_iteration', 'all_iterations'), 'v1.3'),
  },
  also: stepRules,
};

const WORKFLOW: RecordShape = {
  says: 'a Workflow',
  fields: { ...processFields, ...inputs, outputs: required(idMap(WORKFLOW_OUTPUT, 'id', 'type')), steps: required(idMap(STEP)) },
};

export const PROCESS_SHAPES: Readonly<Record<string, RecordShape>> = {
  CommandLineTool: COMMAND_LINE_TOOL,
  ExpressionTool: EXPRESSION_TOOL,
  Workflow: WORKFLOW,
  Operation: OPERATION,
};
