cwlVersion: v1.2
class: Workflow
label: Final report
doc: The rounds of a session as a summary and a learning curve (CSV).
inputs:
  history: { type: File, doc: 'JSON object: rounds (round, strategy, queried, labelled, metrics) and contributors.' }
  python: { type: string, default: python3 }
steps:
  aggregate:
    run: tools/aggregate.cwl
    in: { history: history, python: python }
    out: [summary, learning_curve]
outputs:
  summary: { type: Any, outputSource: aggregate/summary }
  learning_curve: { type: File, outputSource: aggregate/learning_curve }
