cwlVersion: v1.2
class: CommandLineTool
inputs: []
outputs:
  many: { type: 'File[]', outputBinding: { glob: '*.txt' } }
  two: { type: 'File[]', outputBinding: { glob: [b.log, a.log] } }
  none: { type: 'File?', outputBinding: { glob: nothing } }
  folder: { type: Directory, outputBinding: { glob: d } }
baseCommand: [sh, -c, 'echo 1 > b.txt; echo 2 > a.txt; touch a.log b.log; mkdir d; echo x > d/x']
