cwlVersion: v1.2
class: CommandLineTool
doc: The rounds of a session as a summary and a learning curve.
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
      - entryname: aggregate.py
        entry:
          $include: aggregate.py
arguments: ["$(inputs.python)", aggregate.py]
inputs:
  python:
    type: string
    default: python3
    doc: The interpreter; it must have scikit-learn and joblib.
  history:
    type: File
    inputBinding: { prefix: --history }
outputs:
  summary:
    type: Any
    outputBinding:
      glob: summary.json
      loadContents: true
      outputEval: $(JSON.parse(self[0].contents))
  learning_curve:
    type: File
    outputBinding: { glob: learning-curve.csv }
