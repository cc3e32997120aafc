cwlVersion: v1.2
class: CommandLineTool
requirements: { InlineJavascriptRequirement: {} }
inputs: { file: File }
outputs:
  lines: { type: int, outputBinding: { glob: lines, loadContents: true, outputEval: '$(parseInt(self[0].contents))' } }
  name: { type: string, outputBinding: { outputEval: $(inputs.file.basename) } }
stdin: $(inputs.file.path)
stdout: lines
baseCommand: [wc, -l]
