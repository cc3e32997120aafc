cwlVersion: v1.2
class: CommandLineTool
$namespaces: { e: "http://example.com/" }
$schemas: [formats.ttl]
inputs: { file: { type: File, format: e:text } }
outputs: { out: { type: File, format: e:copy, outputBinding: { glob: copy } } }
baseCommand: [cp]
arguments: [$(inputs.file.path), copy]
