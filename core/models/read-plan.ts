/**
 * A planner's words as a plan: JSON with `items`, or the numbered form that the breakdown agent writes ("1. Title (agent: `x`; after: 1)",
 * "Do: …", "Good when: …"). What is of neither form is no plan. Pure.
 */
import { type PlanItem, PlanItems } from '../contract/plan.ts'
import { CRITERION_LENGTH } from '../contract/task.ts'

/** Null when no parts can be read. */
export function readPlan(text: string): PlanItem[] | null {
  return fromJson(text) ?? fromList(text)
}

function fromJson(text: string): PlanItem[] | null {
  const [open, close] = [text.indexOf('{'), text.lastIndexOf('}')]
  if (open < 0 || close < open) return null
  let value: unknown
  try {
    value = JSON.parse(text.slice(open, close + 1))
  } catch {
    return null // not JSON: the numbered form is looked for next
  }
  const parsed = PlanItems.safeParse((value as { items?: unknown }).items)
  return parsed.success ? parsed.data : null
}

const HEAD = /^(\d{1,3})[.)]\s+(.+?)(?:\s+\(([^()]*)\))?\s*$/
const TAIL = /^(not to split|risks|aim)\s*:/i

function fromList(text: string): PlanItem[] | null {
  const parts: { n: string; title: string; words: string; lines: string[] }[] = []
  let over = false
  for (const line of text.split('\n')) {
    const head = HEAD.exec(line)
    if (TAIL.test(line.trim())) over = true
    else if (head && !over) parts.push({ n: head[1]!, title: head[2]!, words: head[3] ?? '', lines: [] })
    else if (!over && line.trim()) parts.at(-1)?.lines.push(line.trim().replace(/^Do:\s*/i, ''))
  }
  const numbers = parts.map((part) => part.n)
  if (parts.length === 0 || new Set(numbers).size < parts.length) return null
  const items = parts.map(({ n, title, words, lines }, i) => {
    const agent = /agent:\s*`?([a-z][a-z0-9_-]*)`?/i.exec(words)?.[1]
    const good = lines.flatMap((line) => /^good when:\s*(\S.*)$/i.exec(line)?.[1]?.slice(0, CRITERION_LENGTH) ?? [])
    const after = /after:\s*([^;)]*)/i.exec(words)?.[1] ?? ''
    return {
      id: `p${n}`,
      title: title.replace(/^\*\*(.*)\*\*$/, '$1').slice(0, 200),
      instruction: (lines.filter((line) => !/^good when:\s*\S/i.test(line)).join('\n') || title).slice(0, 100_000),
      ...(agent === undefined ? {} : { agent }),
      ...(good.length > 0 ? { criteria: good } : {}),
      after: [...after.matchAll(/\d+/g)]
        .map(([m]) => m)
        .filter((m) => numbers.slice(0, i).includes(m))
        .map((m) => `p${m}`),
      children: [],
    }
  })
  const parsed = PlanItems.safeParse(items)
  return parsed.success ? parsed.data : null
}
