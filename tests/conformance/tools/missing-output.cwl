cwlVersion: v1.2
class: CommandLineTool
inputs: []
outputs: { out: { type: File, outputBinding: { glob: "*.no" } } }
baseCommand: "true"
