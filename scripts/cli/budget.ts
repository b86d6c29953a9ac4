/** "dollars=2,tasks=50" → a budget. Pure. */
import { Budget } from '../../core/contract/limits.ts'
import { Ended, EXIT } from './terminal.ts'

const NAMES = Object.keys(Budget.shape) as (keyof Budget)[]
const plainName = (name: string) => name.trim().toLowerCase().replaceAll(/[-_]/g, '')

/** A number alone means dollars. Throws `Ended` that names what is wrong with which part. */
export function parseBudget(text: string): Budget {
  const budget: Record<string, number> = {}
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const [given = '', value = ''] = /^\s*\$?[\d.]+\s*$/.test(part) ? ['dollars', part] : part.split('=', 2)
    const name = NAMES.find((one) => plainName(one) === plainName(given))
    if (!name) throw new Ended(EXIT.usage, `"${part.trim()}" in --budget is not one of ${NAMES.map((one) => `${one}=N`).join(', ')}.`)
    if (name in budget) throw new Ended(EXIT.usage, `${name} is twice in --budget; keep one.`)
    const digits = value.trim().replace(/^\$/, '')
    if (!/^\d+(\.\d+)?$/.test(digits))
      throw new Ended(EXIT.usage, `${name} in --budget needs a number, such as ${name}=2, not "${value.trim()}".`)
    budget[name] = Number(digits)
  }
  const parsed = Budget.safeParse(budget)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new Ended(EXIT.usage, `${issue.path.join('.')} in --budget is out of range: ${issue.message}.`)
  }
  if (Object.keys(budget).length === 0) throw new Ended(EXIT.usage, '--budget is empty; write for instance --budget dollars=2,tasks=50.')
  return parsed.data
}
