cwlVersion: v1.2
class: CommandLineTool
doc: A Markdown table of all species, the largest mean first.
requirements:
  ShellCommandRequirement: {}
baseCommand: [sort, "-k3,3nr"]
inputs:
  rows: {type: "File[]", inputBinding: {position: 1}}
  column: string
  script: {type: File, default: {class: File, location: report.awk}}
arguments:
  - {valueFrom: "|", shellQuote: false, position: 2}
  - {valueFrom: awk, position: 3}
  - {prefix: -v, valueFrom: column=$(inputs.column), position: 4}
  - {prefix: -f, valueFrom: $(inputs.script.path), position: 5}
stdout: report.md
outputs:
  report: stdout
