cwlVersion: v1.2
class: CommandLineTool
inputs: { file: File }
outputs: { out: stdout }
stdin: $(inputs.file.path)
stdout: $(inputs.file.nameroot).out
baseCommand: cat
