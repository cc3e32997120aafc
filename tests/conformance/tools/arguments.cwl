cwlVersion: v1.2
class: CommandLineTool
inputs:
  last: { type: string, inputBinding: { position: 9 } }
  list: { type: 'int[]', inputBinding: { position: 2, prefix: -l, itemSeparator: ',' } }
  each: { type: { type: array, items: string, inputBinding: { prefix: -e } }, inputBinding: { position: 3 } }
  flag: { type: boolean, inputBinding: { position: 1, prefix: --flag } }
  off: { type: boolean, default: false, inputBinding: { position: 1, prefix: --off } }
  glued: { type: double, inputBinding: { position: 4, prefix: --x=, separate: false } }
  none: { type: string?, inputBinding: { prefix: --none } }
outputs: { out: stdout }
stdout: out.txt
baseCommand: [printf, '%s\n']
arguments: [{ valueFrom: first, position: 0 }]
