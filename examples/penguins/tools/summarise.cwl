cwlVersion: v1.2
class: CommandLineTool
doc: One row of statistics for one species.
requirements:
  InlineJavascriptRequirement: {}
baseCommand: [awk, -v, OFS=\t]
arguments:
  - {prefix: -v, valueFrom: species=$(inputs.species), position: 1}
inputs:
  script: {type: File, default: {class: File, location: summarise.awk}, inputBinding: {prefix: -f, position: 2}}
  table: {type: File, inputBinding: {position: 3}}
  species: string
  column: string
stdout: $(inputs.species).tsv
outputs:
  row: stdout
  mean:
    type: double
    outputBinding:
      glob: $(inputs.species).tsv
      loadContents: true
      outputEval: $(parseFloat(self[0].contents.split("\t")[2]))
