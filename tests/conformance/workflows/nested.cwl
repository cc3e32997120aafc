cwlVersion: v1.2
class: Workflow
requirements: { SubworkflowFeatureRequirement: {}, InlineJavascriptRequirement: {} }
inputs: { n: int }
outputs: { n: { type: int, outputSource: inner/n } }
steps:
  inner:
    in: { n: n }
    out: [n]
    run: { class: Workflow, inputs: { n: int }, outputs: { n: { type: int, outputSource: inc/n } }, steps: { inc: { run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }, in: { n: n }, out: [n] } } }
