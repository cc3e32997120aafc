cwlVersion: v1.2
class: CommandLineTool
requirements: { TeleportRequirement: {} }
inputs: []
outputs: []
baseCommand: "true"
