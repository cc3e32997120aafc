/**
 * Results as Redis keeps them: folder and bytes each in a line of their own, which scripts can read and change, then JSON.
 */
import { readJson, writeJson } from '@weft/plan';
import type { StoredFile, StoredResult } from './ports.js';

type PackedFile = [path: string, version: string, size: number];

interface Packed {
  outputs: StoredResult['outputs'];
  files: PackedFile[];
  exitCode: number;
}

export function encodeResult({ folder, outputs, files, exitCode }: StoredResult): string {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const packed: Packed = { outputs, files: files.map(({ path, version, size }) => [path, version, size]), exitCode };
  return `${folder}\n${bytes}\n${writeJson(packed)}`;
}

export function decodeResult(text: string): StoredResult {
  const first = text.indexOf('\n');
  const second = text.indexOf('\n', first + 1);
  const { outputs, files, exitCode } = readJson(text.slice(second + 1)) as Packed;
  return {
    folder: text.slice(0, first),
    outputs,
    files: files.map(([path, version, size]): StoredFile => ({ path, version, size })),
    exitCode,
  };
}
