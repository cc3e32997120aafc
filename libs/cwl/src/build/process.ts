/**
 * Builds the processes of a plan from loaded documents: checks each against its table, then reads it. Every document that a `run` names has
 * been loaded before (documents/collect.ts), so that nothing here waits.
 *
 * Invariants: a process written once is built once; keys do not name the machine (they are relative to the root document).
 */
import type { Process, ProcessBase } from '@weft/plan';
import type { Reporter } from '../diagnostics.js';
import { PROCESS_SHAPES } from '../check/process-shapes.js';
import { effectiveItems } from '../check/requirement-shapes.js';
import { checkRecord } from '../check/validate.js';
import type { DocumentStore } from '../documents/document-store.js';
import { processClass, resolveRun, versionOf } from '../documents/select.js';
import { field, isList, isMap, stringField, stringOf, type MapNode, type Node } from '../source/node.js';
import { MAX_DEPTH } from '../limits.js';
import { relativeUri } from '../source/uri.js';
import type { Version } from '../source/version.js';
import { docOf } from './bindings.js';
import { defined, Origins, type BuildContext } from './context.js';
import { ExpressionPlaceFinder } from './expression-places.js';
import { inputParameters } from './parameters.js';
import { requirementsOf } from './requirements.js';
import { originOf } from './origin.js';
import { commandLineTool, expressionTool, operation } from './tool.js';
import { TypeScope } from './type-scope.js';
import { TypeSizes } from './type-sizes.js';
import { typeOf } from './types.js';
import { workflow } from './workflow.js';

interface Place {
  key: string;
  fragment?: string;
  version: Version;
  types?: TypeScope;
}

export class ProcessBuilder {
  readonly processes: Record<string, Process> = {};
  readonly origins = new Origins();
  private readonly typeSizes = new TypeSizes();
  private readonly keys = new Map<MapNode, string>();
  private readonly open = new Set<MapNode>();
  private readonly expressionPlaces: ExpressionPlaceFinder;

  constructor(
    private readonly store: DocumentStore,
    private readonly reporter: Reporter,
    private readonly rootUri: string,
  ) {
    this.expressionPlaces = new ExpressionPlaceFinder(rootUri);
  }

  /** Builds the process at `uri` (with its fragment, if it has one); answers its key. */
  build(node: MapNode, uri: string, fragment: string | undefined, inherited: Version): string | undefined {
    const key = relativeUri(uri, this.rootUri) + (fragment === undefined ? '' : `#${fragment}`);
    return this.add(node, { key, fragment, version: inherited });
  }

  private add(node: MapNode, place: Place): string | undefined {
    const known = this.keys.get(node);
    if (known !== undefined) return known;
    const className = processClass(node, this.reporter);
    const shape = className === undefined ? undefined : PROCESS_SHAPES[className];
    if (className === undefined || shape === undefined) return undefined;
    const version = versionOf(node, this.store.loaded(node.file.uri), place.version, this.reporter);
    if (version === undefined) return undefined;
    this.open.add(node);
    checkRecord(node, shape, { reporter: this.reporter, version });
    const types = new TypeScope(place.types);
    const context: BuildContext = { reporter: this.reporter, version, types, origins: this.origins, typeSizes: this.typeSizes };
    declareTypes(node, context);
    const process = this.read(className, node, place, context);
    this.processes[place.key] = this.origins.setNode(process, node);
    this.keys.set(node, place.key);
    this.open.delete(node);
    return place.key;
  }

  private read(className: string, node: MapNode, place: Place, context: BuildContext): Process {
    const at = originOf(node, this.rootUri);
    const head: ProcessBase = defined({
      id: place.key,
      label: stringField(node, 'label'),
      doc: docOf(node),
      inputs: inputParameters(field(node, 'inputs'), context),
      requirements: requirementsOf(field(node, 'requirements')),
      hints: requirementsOf(field(node, 'hints')),
      declaredVersion: context.version,
      at,
      expressionsAt: this.expressionPlaces.of(node, at?.file),
    });
    if (className === 'CommandLineTool') return commandLineTool(node, head, context);
    if (className === 'ExpressionTool') return expressionTool(node, head, context);
    if (className === 'Operation') return operation(node, head, context);
    return workflow(node, head, { fragment: place.fragment, rootUri: this.rootUri }, context, (run, step) =>
      this.run(run, step, place, context),
    );
  }

  private run(run: Node, step: string, place: Place, context: BuildContext): string | undefined {
    if (isMap(run)) {
      const fragment = place.fragment === undefined ? `${step}/run` : `${place.fragment}/${step}/run`;
      const key = place.fragment === undefined ? `${place.key}#${fragment}` : `${place.key.slice(0, place.key.indexOf('#'))}#${fragment}`;
      return this.add(run, { key, fragment, version: context.version, types: context.types });
    }
    const target = resolveRun(run, this.store, this.reporter);
    if (target === undefined) return undefined;
    if (this.open.size >= MAX_DEPTH) {
      this.reporter.error(run, 'document-limit', `workflows are nested more than ${MAX_DEPTH} levels deep`);
      return undefined;
    }
    if (this.open.has(target.node)) {
      this.reporter.error(run, 'recursive-run', `'${stringOf(run) ?? ''}' runs itself`);
      return undefined;
    }
    return this.build(target.node, target.document.file.uri, target.fragment, context.version);
  }
}

/** Types of SchemaDefRequirement become known by name, and are resolved once so that mistakes in unused ones are reported too. */
function declareTypes(node: MapNode, context: BuildContext): void {
  for (const which of ['requirements', 'hints']) {
    for (const item of effectiveItems(field(node, which))) {
      if (item.name !== 'SchemaDefRequirement') continue;
      const types = field(item.node, 'types');
      const list = isList(types) ? types.items : types === undefined ? [] : [types];
      for (const type of list) if (isMap(type)) context.types.declare(type);
      for (const type of list) {
        const name = isMap(type) ? stringField(type, 'name') : undefined;
        if (name === undefined) typeOf(type, context);
        else typeOf({ kind: 'scalar', file: type.file, start: type.start, end: type.end, value: name }, context);
      }
    }
  }
}
