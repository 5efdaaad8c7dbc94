// Answers questions about policies, one JSON document on each line, with the decision or the error of each.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin })) {
  const { errors, overallResult, result } = await runSimulation(JSON.parse(line), {})
  const ignored = result?.ignoredContextKeys ?? []
  process.stdout.write(JSON.stringify({ decision: overallResult ?? 'Error', errors, ignored }) + '\n')
}
