cwlVersion: v1.2
class: Workflow
inputs: []
outputs: { a: { type: File, outputSource: a/out }, b: { type: File, outputSource: b/out } }
steps:
  a: { run: { class: CommandLineTool, inputs: { x: { type: string, inputBinding: {} } }, outputs: { out: stdout }, stdout: out.txt, baseCommand: echo }, in: { x: { default: one } }, out: [out] }
  b: { run: { class: CommandLineTool, inputs: { x: { type: string, inputBinding: {} } }, outputs: { out: stdout }, stdout: out.txt, baseCommand: echo }, in: { x: { default: two } }, out: [out] }
