cwlVersion: v1.2
$graph:
  - { id: shout, class: ExpressionTool, requirements: { InlineJavascriptRequirement: {} }, inputs: { x: string }, outputs: { out: string }, expression: '$({"out": inputs.x.toUpperCase()})' }
  - id: main
    class: Workflow
    inputs: { x: string }
    outputs: { out: { type: string, outputSource: step/out } }
    steps: { step: { run: '#shout', in: { x: x }, out: [out] } }
