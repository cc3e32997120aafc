cwlVersion: v1.2
class: Workflow
requirements: { InlineJavascriptRequirement: {}, MultipleInputFeatureRequirement: {} }
inputs: { n: int }
outputs:
  picked: { type: int, outputSource: [small/n, large/n], pickValue: the_only_non_null }
  skipped: { type: int?, outputSource: small/n }
steps:
  small: { run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }, when: $(inputs.n < 10), in: { n: n }, out: [n] }
  large: { run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }, when: $(inputs.n >= 10), in: { n: n }, out: [n] }
