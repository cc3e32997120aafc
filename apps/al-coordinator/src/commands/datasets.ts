/**
 * The built-in data sets with their class names. They ship inside scikit-learn; `templates/tools/al_common.py` loads the same ones.
 */
const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

export const DATASETS = {
  digits: numbered('', 10),
  wine: numbered('class_', 3),
  breast_cancer: ['malignant', 'benign'],
} as const satisfies Record<string, readonly string[]>;

export type DatasetName = keyof typeof DATASETS;

export function isDataset(name: string): name is DatasetName {
  return Object.hasOwn(DATASETS, name);
}

/** `QmABC…` (and the like), `/ipfs/…`, `ipfs://…`: a name of content on IPFS. */
export function namesIpfsContent(text: string): boolean {
  return /^(ipfs:\/\/|\/ipfs\/|Qm[A-Za-z0-9]|baf[a-z2-7]{10})/.test(text.trim());
}
