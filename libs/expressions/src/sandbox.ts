/**
 * Runs JavaScript in QuickJS (WebAssembly). Lives in the worker thread.
 *
 * Invariants:
 *  1. Every evaluation starts from the same memory image: the WASM memory is put back after each one, so nothing a script does to
 *     its globals or prototypes is seen by the next. That costs microseconds, where a new context costs a quarter of a millisecond.
 *  2. Library code runs once per library: the image taken after it is what its evaluations start from. The newest images are kept.
 *  3. When the interpreter trapped, threw into the host or grew its memory far, the WASM instance is dropped, not put back.
 */
import variant from '@jitl/quickjs-singlefile-mjs-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { takeImage, type MemoryImage, type WasmMemory } from './memory-image.js';
import { HARNESS, libraryScript, userScript } from './scripts.js';
import { describeFailure, type ScriptFailure } from './script-errors.js';
import type { SandboxLimits, ScriptError } from './protocol.js';

const PAGE_BYTES = 65_536;
/** What the WASM build starts with: code's data, a 5 MiB stack and room for the first objects. */
const BASE_BYTES = 16 * 1024 * 1024;
/** More makes the host's own stack overflow before QuickJS notices. */
const STACK_BYTES = 256 * 1024;
const LIBRARY_IMAGES = 16;
/** An instance that grew beyond this gives its memory back. */
const KEEP_BYTES = 64 * 1024 * 1024;
/** Extra memory for saying what went wrong when a script used up its own. */
const EXPLAIN_BYTES = 1024 * 1024;
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (size: { initial: number; maximum: number }) => WasmMemory } })
  .WebAssembly;
const GLOBAL = { type: 'global' } as const;

export interface Script {
  code: string;
  inputsJson: string;
  selfJson: string;
  runtimeJson: string;
  library: string[];
}

export type ScriptResult = { json: string } | ScriptError;

interface Instance {
  module: QuickJSWASMModule;
  context: QuickJSContext;
  /** Sets the globals `inputs`, `self`, `runtime` and the seed of Math.random. */
  enter: QuickJSHandle;
  /** The JSON text of a result. */
  leave: QuickJSHandle;
  base: MemoryImage;
  /** A thrown value's name, message and stack, as JSON text. */
  explain: QuickJSHandle;
  libraries: Map<string, MemoryImage>;
}

export class Sandbox {
  private instance: Instance | undefined;
  private deadline = 0;
  private interrupted = false;

  constructor(
    private readonly limits: SandboxLimits,
    private readonly now: () => number,
  ) {}

  /** Starts the interpreter where there is none: its time is not counted as a script's. */
  async ready(): Promise<Instance> {
    return (this.instance ??= await this.start());
  }

  /** Never rejects for what a script does. */
  async run(script: Script): Promise<ScriptResult> {
    const instance = await this.ready();
    this.interrupted = false;
    this.deadline = this.now() + this.limits.interruptAfterMs;
    try {
      const result = this.evaluate(instance, script);
      if (instance.module.getWasmMemory().buffer.byteLength > KEEP_BYTES) this.instance = undefined;
      return result;
    } catch (error) {
      this.instance = undefined;
      return this.describe({ kind: 'host', error }, script);
    }
  }

  private evaluate(instance: Instance, script: Script): ScriptResult {
    const { context } = instance;
    const prepared = this.prepareLibrary(instance, script);
    if ('error' in prepared) return prepared;
    prepared.image.restore();
    const entering = context.callFunction(
      instance.enter,
      context.undefined,
      context.newString(script.inputsJson),
      context.newString(script.selfJson),
      context.newString(script.runtimeJson),
      context.newNumber(Math.floor(Math.random() * 0xffffffff)),
    );
    if (entering.error) return this.fail(instance, entering.error, script);
    const evaluated = context.evalCode(userScript(script.code), 'expression', GLOBAL);
    if (evaluated.error) return this.fail(instance, evaluated.error, script);
    const text = context.callFunction(instance.leave, context.undefined, evaluated.value);
    if (text.error) return this.fail(instance, text.error, script);
    return { json: context.getString(text.value) };
  }

  /** Puts the image with the library in place, making it first where it is not known. */
  private prepareLibrary(instance: Instance, script: Script): { image: MemoryImage } | ScriptError {
    if (script.library.length === 0) return { image: instance.base };
    const key = JSON.stringify(script.library);
    const known = instance.libraries.get(key);
    instance.libraries.delete(key);
    const made = known ? { image: known } : this.loadLibrary(instance, script);
    if ('image' in made) instance.libraries.set(key, made.image);
    const oldest = instance.libraries.keys().next();
    if (instance.libraries.size > LIBRARY_IMAGES && !oldest.done) instance.libraries.delete(oldest.value);
    return made;
  }

  private loadLibrary(instance: Instance, script: Script): { image: MemoryImage } | ScriptError {
    instance.base.restoreCleared();
    const loaded = instance.context.evalCode(libraryScript(script.library), 'expressionLib', GLOBAL);
    return loaded.error ? this.fail(instance, loaded.error, script) : { image: takeImage(instance.module.getWasmMemory()) };
  }

  private fail(instance: Instance, error: QuickJSHandle, script: Script): ScriptError {
    if (this.interrupted) return this.describe({ kind: 'interrupted' }, script);
    instance.context.runtime.setMemoryLimit(this.limits.memoryBytes + EXPLAIN_BYTES);
    const explained = instance.context.callFunction(instance.explain, instance.context.undefined, error);
    return this.describe(
      explained.error ? { kind: 'unexplained' } : { kind: 'script', json: instance.context.getString(explained.value) },
      script,
    );
  }

  private describe(failure: ScriptFailure, script: Script): ScriptError {
    return describeFailure(this.interrupted ? { kind: 'interrupted' } : failure, script, this.limits);
  }

  private async start(): Promise<Instance> {
    this.deadline = Number.POSITIVE_INFINITY;
    const memory = new Memory({
      initial: BASE_BYTES / PAGE_BYTES,
      maximum: Math.ceil((BASE_BYTES + 2 * this.limits.memoryBytes) / PAGE_BYTES),
    });
    const module = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory: memory }));
    const runtime = module.newRuntime();
    runtime.setMemoryLimit(this.limits.memoryBytes);
    runtime.setMaxStackSize(STACK_BYTES);
    runtime.setInterruptHandler(() => (this.interrupted ||= this.now() > this.deadline));
    const context = runtime.newContext();
    const harness = context.unwrapResult(context.evalCode(HARNESS, 'harness', GLOBAL));
    const enter = context.getProp(harness, 'enter');
    const leave = context.getProp(harness, 'leave');
    const explain = context.getProp(harness, 'explain');
    const base = takeImage(memory);
    return { module, context, enter, leave, base, explain, libraries: new Map() };
  }
}
