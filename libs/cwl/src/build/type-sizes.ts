/** Keeps named types from filling a plan: they are shared while it is built, and written out in it. */
import type { CwlType } from '@weft/plan';

/** Parts that one named type, and all uses of named types in a plan, may have. */
const MAX_TYPE = 10_000;
const MAX_ALL = 1_000_000;

export class TypeSizes {
  /** One message is enough: what is refused is taken for Any. */
  reported = false;
  /** Names that are being resolved inside each other. */
  depth = 0;
  private all = 0;
  private readonly known = new Map<object, number>();

  /** Counts one more use of the type. False where it, or all together, are too large. */
  admits(type: CwlType): boolean {
    const size = this.of(type);
    this.all += size;
    return size <= MAX_TYPE && this.all <= MAX_ALL;
  }

  private of(type: CwlType): number {
    if (typeof type === 'string') return 1;
    const known = this.known.get(type);
    if (known !== undefined) return known;
    let size = 1;
    if (Array.isArray(type)) for (const member of type) size += this.of(member);
    else if (type.type === 'array') size += this.of(type.items);
    else if (type.type === 'record') for (const field of type.fields) size += this.of(field.type);
    else size += type.symbols.length;
    this.known.set(type, size);
    return size;
  }
}
