/** How large and how deep a tree would be with everything that is shared in it written out. Imports and aliases share nodes; whoever walks them does not. */
import type { Node } from './node.js';

export interface NodeSize {
  nodes: number;
  levels: number;
}

const SCALAR: NodeSize = { nodes: 1, levels: 1 };

export class NodeSizes {
  private readonly known = new Map<Node, NodeSize>();
  private scalars = 0;

  /** Linear in the nodes there are; recurses no deeper than what was not measured before. */
  of(node: Node): NodeSize {
    if (node.kind === 'scalar') return SCALAR;
    const known = this.known.get(node);
    if (known !== undefined) return known;
    const size = { nodes: 1, levels: 1 };
    const add = (child: Node): void => {
      const { nodes, levels } = this.of(child);
      if (child.kind === 'scalar') this.scalars += 1;
      size.nodes += nodes;
      size.levels = Math.max(size.levels, levels + 1);
    };
    if (node.kind === 'list') node.items.forEach(add);
    else for (const entry of node.entries.values()) add(entry.value);
    this.known.set(node, size);
    return size;
  }

  /** Nodes that were met so far, those that are shared once. */
  get distinct(): number {
    return this.known.size + this.scalars;
  }
}
