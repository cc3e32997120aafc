cwlVersion: v1.2
class: CommandLineTool
requirements: { ShellCommandRequirement: {} }
inputs: []
outputs: { err: stderr }
stderr: err.txt
arguments: [{ shellQuote: false, valueFrom: "echo oops >&2" }]
