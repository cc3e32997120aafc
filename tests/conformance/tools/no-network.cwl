cwlVersion: v1.2
class: CommandLineTool
requirements: { DockerRequirement: { dockerPull: alpine:latest } }
inputs: []
outputs: { out: stdout }
stdout: out.txt
baseCommand: [sh, -c, "ls /sys/class/net"]
