cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement: { dockerPull: alpine:latest }
  NetworkAccess: { networkAccess: true }
inputs: []
outputs: { page: stdout }
stdout: page.txt
baseCommand: [wget, -q, -O, '-', 'http://stand-in.weft.invalid/page']
