cwlVersion: v1.0
class: Workflow
inputs: { file: File }
outputs: { out: { type: File, outputSource: cat/out } }
steps: { cat: { run: ../tools/cat.cwl, in: { file: file }, out: [out] } }
