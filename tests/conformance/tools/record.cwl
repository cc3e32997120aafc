cwlVersion: v1.2
class: CommandLineTool
requirements: { SchemaDefRequirement: { types: [{ $import: types.yml }] } }
inputs: { pair: types.yml#pair }
outputs: { out: stdout }
stdout: out.txt
baseCommand: echo
