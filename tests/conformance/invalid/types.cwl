cwlVersion: v1.2
class: Workflow
inputs: { n: int }
outputs: []
steps: { a: { run: { class: CommandLineTool, inputs: { x: { type: string, inputBinding: {} } }, outputs: { out: stdout }, stdout: out.txt, baseCommand: echo }, in: { x: n }, out: [] } }
