/** YAML or JSON that is no document and no job, read as these are: by the same rules and within the same limits. */
import type { CwlValue } from '@weft/plan';
import type { Diagnostic } from './api.js';
import { Reporter } from './diagnostics.js';
import { toJson, type SourceFile } from './source/node.js';
import { parseYaml } from './source/parse-yaml.js';

/** Never throws for what is in the text: a value is given where there is no error. `uri`: where the text is from, for messages. */
export function parseData(text: string, uri: string): { value?: CwlValue; diagnostics: Diagnostic[] } {
  const reporter = new Reporter();
  const file: SourceFile = { uri, text, namespaces: {} };
  const node = parseYaml(file, reporter);
  const diagnostics = reporter.diagnostics();
  return node === undefined || diagnostics.some(({ severity }) => severity === 'error')
    ? { diagnostics }
    : { value: toJson(node), diagnostics };
}
