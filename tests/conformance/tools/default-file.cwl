cwlVersion: v1.2
class: CommandLineTool
inputs: { file: { type: File, default: { class: File, location: ../data/poem.txt } } }
outputs: { out: stdout }
stdout: out.txt
baseCommand: cat
arguments: [$(inputs.file.path)]
