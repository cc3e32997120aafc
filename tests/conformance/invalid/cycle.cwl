cwlVersion: v1.2
class: Workflow
inputs: []
outputs: []
steps:
  a: { run: { class: CommandLineTool, inputs: { x: { type: string, inputBinding: {} } }, outputs: { out: stdout }, stdout: out.txt, baseCommand: echo }, in: { x: b/out }, out: [out] }
  b: { run: { class: CommandLineTool, inputs: { x: { type: string, inputBinding: {} } }, outputs: { out: stdout }, stdout: out.txt, baseCommand: echo }, in: { x: a/out }, out: [out] }
