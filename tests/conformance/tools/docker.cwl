cwlVersion: v1.2
class: CommandLineTool
requirements: { DockerRequirement: { dockerPull: alpine:latest, dockerOutputDirectory: /elsewhere } }
inputs: { file: File }
outputs: { out: stdout, made: { type: File, outputBinding: { glob: made } } }
stdout: out.txt
baseCommand: [sh, -c, 'pwd; cat "$0"; echo x > made']
arguments: [$(inputs.file.path)]
