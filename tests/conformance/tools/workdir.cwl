cwlVersion: v1.2
class: CommandLineTool
requirements: { InlineJavascriptRequirement: {}, InitialWorkDirRequirement: { listing: [
    { entryname: conf/made.ini, entry: "name=$(inputs.name)\n" },
    { entryname: copy.txt, entry: $(inputs.file), writable: true } ] } }
inputs: { name: string, file: File }
outputs: { copy: { type: File, outputBinding: { glob: copy.txt } }, ini: { type: File, outputBinding: { glob: conf/made.ini } } }
baseCommand: [sh, -c, 'echo more >> copy.txt']
