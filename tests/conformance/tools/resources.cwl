cwlVersion: v1.2
class: CommandLineTool
requirements: { ResourceRequirement: { coresMin: 1, ramMin: $(inputs.ram) } }
inputs: { ram: int }
outputs: { out: stdout }
stdout: out.txt
baseCommand: echo
arguments: [$(runtime.cores), $(runtime.ram)]
