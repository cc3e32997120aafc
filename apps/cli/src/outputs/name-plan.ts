/**
 * In which folder below the output folder each group of outputs goes: the output folder itself ('' here), else '2', '3', …. Pure.
 *
 * Invariants:
 *  1. Files keep their basename: a name's extension is part of what tools understand.
 *  2. Two different files never get the same path, also where the file system takes upper and lower case for the same.
 *  3. One file that is in several outputs gets one path.
 *  4. A numbered folder and an output of that name never share a path.
 */
/** Numbers that are tried beyond the first that is free among the outputs. */
const TRIES = 100_000;

export class NamePlan {
  /** Path below the output folder → what lies there (its key). */
  private readonly taken = new Map<string, string>();
  private readonly folders = new Set<string>();
  /** Name → the first number that it may still have: so many outputs of one name do not take a look at each other. */
  private readonly firstFree = new Map<string, number>();
  /** Name and key → the folder that they have. */
  private readonly homes = new Map<string, string>();

  /** `fold`: one text for all spellings of a name that the file system takes for the same. */
  constructor(private readonly fold: (name: string) => string = (name) => name) {}

  /** The folders that could take these names (with their keys), the nearest first. */
  *candidates(keys: ReadonlyMap<string, string>): Generator<string, void, undefined> {
    const entries = [...keys];
    const isFree = (folder: string): boolean => entries.every(([name, key]) => this.isFree(folder, name, key));
    const homes = new Set(entries.flatMap(([name, key]) => this.homes.get(`${key}/${this.fold(name)}`) ?? []));
    for (const home of homes) if (isFree(home)) yield home;
    const first = entries.reduce((most, [name]) => Math.max(most, this.firstFree.get(this.fold(name)) ?? 1), 1);
    for (let n = first; n <= first + TRIES; n += 1) {
      const folder = n === 1 ? '' : String(n);
      if (!homes.has(folder) && !this.taken.has(folder) && isFree(folder)) yield folder;
    }
  }

  take(folder: string, keys: ReadonlyMap<string, string>): void {
    for (const [name, key] of keys) {
      this.taken.set(this.pathOf(folder, name), key);
      this.homes.set(`${key}/${this.fold(name)}`, folder);
      let free = this.firstFree.get(this.fold(name)) ?? 1;
      while (this.taken.has(this.pathOf(free === 1 ? '' : String(free), name))) free += 1;
      this.firstFree.set(this.fold(name), free);
    }
    if (folder !== '') this.folders.add(folder);
  }

  /** Whether the name has been given in this folder, to the same bytes. */
  has(folder: string, name: string): boolean {
    return this.taken.has(this.pathOf(folder, name));
  }

  private isFree(folder: string, name: string, key: string): boolean {
    const path = this.pathOf(folder, name);
    if (folder === '' && this.folders.has(path)) return false;
    const there = this.taken.get(path);
    return there === undefined || there === key;
  }

  private pathOf(folder: string, name: string): string {
    return folder === '' ? this.fold(name) : `${folder}/${this.fold(name)}`;
  }
}

/** For file systems that do not tell upper from lower case, or one spelling of an accent from the other. */
export function foldedName(name: string): string {
  return name.normalize('NFC').toLowerCase().toUpperCase().normalize('NFC');
}
