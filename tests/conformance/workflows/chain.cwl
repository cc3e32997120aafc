cwlVersion: v1.2
class: Workflow
inputs: { file: File }
outputs: { out: { type: File, outputSource: second/out } }
steps:
  first: { run: ../tools/cat.cwl, in: { file: file }, out: [out] }
  second: { run: ../tools/cat.cwl, in: { file: first/out }, out: [out] }
