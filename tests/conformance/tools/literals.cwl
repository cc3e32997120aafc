cwlVersion: v1.2
class: CommandLineTool
inputs: { file: File, folder: Directory }
outputs: { out: stdout }
stdout: out.txt
baseCommand: [sh, -c, 'cat "$0" "$1"/deep/x']
arguments: [$(inputs.file.path), $(inputs.folder.path)]
