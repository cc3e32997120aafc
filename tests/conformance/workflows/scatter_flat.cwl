cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {} }
inputs: { a: 'string[]', b: 'string[]' }
outputs: { out: { type: 'string[]', outputSource: join/out } }
steps:
  join:
    scatter: [a, b]
    scatterMethod: flat_crossproduct
    in: { a: a, b: b }
    out: [out]
    run: { class: ExpressionTool, inputs: { a: string, b: string }, outputs: { out: string }, expression: '$({"out": inputs.a + inputs.b})' }
