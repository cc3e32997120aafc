cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement: {dockerPull: "debian:stable-slim"}
doc: Every second flower is held out.
baseCommand: [awk, 'NR > 1 { print > (NR % 2 ? "test.csv" : "training.csv") }']
inputs:
  table: {type: File, inputBinding: {position: 1}}
outputs:
  training: {type: File, outputBinding: {glob: training.csv}}
  test: {type: File, outputBinding: {glob: test.csv}}
