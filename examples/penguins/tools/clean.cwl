cwlVersion: v1.2
class: CommandLineTool
doc: Keeps species and one column of the rows that have a value, and lists the species.
requirements:
  InlineJavascriptRequirement: {}
baseCommand: [awk, "-F,", -v, OFS=\t]
arguments:
  - {prefix: -v, valueFrom: wanted=$(inputs.column), position: 1}
inputs:
  script: {type: File, default: {class: File, location: clean.awk}, inputBinding: {prefix: -f, position: 2}}
  table: {type: File, inputBinding: {position: 3}}
  column: string
stdout: complete.tsv
outputs:
  complete: stdout
  species:
    type: string[]
    outputBinding:
      glob: complete.tsv
      loadContents: true
      outputEval: |
        ${
          var names = self[0].contents.trim().split("\n").map(function (line) { return line.split("\t")[0]; });
          return names.filter(function (name, i) { return names.indexOf(name) === i; }).sort();
        }
