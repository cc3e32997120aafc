cwlVersion: v1.2
class: Workflow
label: How the penguins of the Palmer archipelago differ by species
requirements:
  ScatterFeatureRequirement: {}
  InlineJavascriptRequirement: {}
inputs:
  measurements:
    type: File
    doc: CSV with a header; missing values are written NA.
  column:
    type: string
    doc: The measurement to summarise.
steps:
  clean:
    run: tools/clean.cwl
    in: {table: measurements, column: column}
    out: [complete, species]
  summarise:
    run: tools/summarise.cwl
    scatter: species
    in: {table: clean/complete, species: clean/species, column: column}
    out: [row, mean]
  write_report:
    run: tools/report.cwl
    in: {rows: summarise/row, column: column}
    out: [report]
  rank:
    run: tools/rank.cwl
    in: {species: clean/species, means: summarise/mean}
    out: [largest, ratio]
outputs:
  report: {type: File, outputSource: write_report/report}
  largest: {type: string, outputSource: rank/largest}
  ratio:
    type: double
    doc: Mean of the largest species over mean of the smallest.
    outputSource: rank/ratio
