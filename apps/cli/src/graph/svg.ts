/** DOT → SVG by Graphviz, which comes as WASM: nothing need be installed, and nothing is fetched. */
import { instance } from '@viz-js/viz';

export async function toSvg(dot: string): Promise<string> {
  return (await instance()).renderString(dot, { format: 'svg', engine: 'dot' });
}
