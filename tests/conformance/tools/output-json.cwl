cwlVersion: v1.2
class: CommandLineTool
inputs: []
outputs: { n: int, s: "string[]" }
baseCommand: [sh, -c, 'echo "{\"n\": 7, \"s\": [\"x\"]}" > cwl.output.json']
