cwlVersion: v1.2
class: CommandLineTool
doc: What the model was trained on and how well it fits that.
hints:
  DockerRequirement:
    dockerPull: weft-al-sklearn:1
  ResourceRequirement:
    coresMin: 1
    ramMin: 1024
requirements:
  InlineJavascriptRequirement: {}
  EnvVarRequirement:
    envDef:
      OMP_NUM_THREADS: '1'
      OPENBLAS_NUM_THREADS: '1'
      PYTHONDONTWRITEBYTECODE: '1'
      PYTHONHASHSEED: '0'
  InitialWorkDirRequirement:
    listing:
      - entryname: al_common.py
        entry:
          $include: al_common.py
      - entryname: report_training.py
        entry:
          $include: report_training.py
arguments: ["$(inputs.python)", report_training.py]
inputs:
  python:
    type: string
    default: python3
    doc: The interpreter; it must have scikit-learn and joblib.
  data:
    type: File
    inputBinding: { prefix: --data }
  labels:
    type: File
    inputBinding: { prefix: --labels }
  model:
    type: File
    inputBinding: { prefix: --model }
  training:
    type: File
    inputBinding: { prefix: --training }
outputs:
  report_file:
    type: File
    outputBinding: { glob: report.json }
  report:
    type: Any
    outputBinding:
      glob: report.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))
