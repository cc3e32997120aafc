cwlVersion: v1.2
class: CommandLineTool
doc: What the model says about each held-out sample, beside the truth.
hints:
  DockerRequirement:
    dockerPull: weft-al-sklearn:1
  ResourceRequirement:
    coresMin: 1
    ramMin: 1024
requirements:
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
      - entryname: predict.py
        entry:
          $include: predict.py
arguments: ["$(inputs.python)", predict.py]
inputs:
  python:
    type: string
    default: python3
    doc: The interpreter; it must have scikit-learn and joblib.
  data:
    type: File
    inputBinding: { prefix: --data }
  model:
    type: File
    inputBinding: { prefix: --model }
outputs:
  predictions:
    type: File
    outputBinding: { glob: predictions.json }
