cwlVersion: v1.2
class: CommandLineTool
requirements: { EnvVarRequirement: { envDef: { GREETING: hello $(inputs.who) } } }
inputs: { who: string }
outputs: { out: stdout }
stdout: out.txt
baseCommand: [printenv, GREETING]
