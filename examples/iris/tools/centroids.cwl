cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement: {dockerPull: "debian:stable-slim"}
doc: Mean of one feature per species.
baseCommand: [awk, "-F,", -v, OFS=\t]
arguments:
  - {prefix: -v, valueFrom: feature=$(inputs.feature), position: 1}
  - {valueFrom: '{ sum[$5] += $feature; n[$5]++ } END { for (s in n) print s, sum[s] / n[s] }', position: 2}
inputs:
  table: {type: File, inputBinding: {position: 3}}
  feature: int
stdout: centroids.tsv
outputs:
  model: stdout
