cwlVersion: v1.2
class: CommandLineTool
inputs: { reads: { type: File, secondaryFiles: [.bai, { pattern: ^.none, required: false }] } }
outputs: { copy: { type: File, secondaryFiles: [.bai], outputBinding: { glob: copy.bam } } }
baseCommand: [sh, -c, 'cp "$0" copy.bam; cp "$0.bai" copy.bam.bai']
arguments: [$(inputs.reads.path)]
