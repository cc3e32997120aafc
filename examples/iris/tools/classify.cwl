cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement: {dockerPull: "debian:stable-slim"}
  InlineJavascriptRequirement: {}
doc: Gives every flower the species whose mean is nearest.
baseCommand: [awk]
arguments:
  - {prefix: -v, valueFrom: feature=$(inputs.feature), position: 1}
inputs:
  script: {type: File, default: {class: File, location: classify.awk}, inputBinding: {prefix: -f, position: 2}}
  model: {type: File, inputBinding: {position: 3}}
  table: {type: File, inputBinding: {position: 4}}
  feature: int
stdout: predictions.tsv
outputs:
  predictions: stdout
  accuracy:
    type: double
    outputBinding:
      glob: predictions.tsv
      loadContents: true
      outputEval: |
        ${
          var rows = self[0].contents.trim().split("\n").map(function (line) { return line.split("\t"); });
          var right = rows.filter(function (row) { return row[0] === row[1]; }).length;
          return Math.round(right / rows.length * 10000) / 10000;
        }
