cwlVersion: v1.2
class: CommandLineTool
inputs: { small: double, big: long }
outputs: { out: stdout }
stdout: out.txt
baseCommand: echo
arguments: [$(inputs.small), $(inputs.big)]
