cwlVersion: v1.2
class: Workflow
requirements: { MultipleInputFeatureRequirement: {}, InlineJavascriptRequirement: {}, StepInputExpressionRequirement: {} }
inputs: { a: 'string[]', b: 'string[]' }
outputs:
  nested: { type: Any, outputSource: [a, b], linkMerge: merge_nested }
  flat: { type: 'string[]', outputSource: [a, b], linkMerge: merge_flattened }
  count: { type: int, outputSource: count/n }
steps:
  count: { run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }, in: { n: { source: [a, b], linkMerge: merge_flattened, valueFrom: $(self.length) } }, out: [n] }
