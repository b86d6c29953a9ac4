/** Which model drives the goal: what it costs, how much it reads at once, and whether it could be called now. */
import { Sparkles } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ModelItem } from '../../../core/contract/api-models.ts'
import { count } from '../../format.ts'
import { useRead } from '../../read.ts'
import { Combobox } from '../../ui/combobox.tsx'
import type { Option } from '../../ui/select.tsx'
import { composer as words } from '../../words/composer.ts'
import { usd } from '../../words/words.ts'
import { Chip } from './chip.tsx'

/** Not the id of any model: nothing is said, so the settings hold. */
const AS_SET = 'as-set'

export function ModelChip(props: {
  model: string | undefined
  before: string | undefined
  choose: (model: string | undefined) => void
  open: boolean
  setOpen: (open: boolean) => void
}) {
  const { data } = useRead(ROUTES.models)
  const items = data?.items ?? []
  const standard = items.find((item) => item.isDefault)
  const { model, before } = props
  // What could be called comes first.
  const known = [...items].sort((a, b) => Number(b.keyPresent) - Number(a.keyPresent))
  const options: Option[] = [
    { value: AS_SET, label: before ?? words.modelDefault(standard?.id ?? words.modelDefaultShort), hint: words.modelDefaultHint },
    ...known.map((item) => ({ value: item.id, label: item.id, hint: hintOf(item), disabled: !item.keyPresent })),
    // A model that the price list does not know can still be the one of a template.
    ...(model !== undefined && items.length > 0 && !items.some((item) => item.id === model)
      ? [{ value: model, label: model, hint: words.modelUnpriced }]
      : []),
  ]
  return (
    <Combobox
      label={words.model}
      value={model ?? AS_SET}
      options={options}
      choose={(value) => props.choose(value === AS_SET ? undefined : value)}
      open={props.open}
      setOpen={props.setOpen}
      trigger={
        <Chip
          icon={Sparkles}
          name={words.model}
          value={model ?? before ?? standard?.id ?? words.modelDefaultShort}
          set={model !== undefined}
        />
      }
    />
  )
}

function hintOf(item: ModelItem): string {
  if (item.id === 'playbook') return words.modelPlaybook
  if (item.id === 'external') return words.modelOutside
  const price =
    item.inputPerMillion === null || item.outputPerMillion === null
      ? words.modelUnpriced
      : words.modelPrice(usd(item.inputPerMillion * 1_000_000), usd(item.outputPerMillion * 1_000_000))
  const reads = item.contextTokens === null ? [] : [words.modelContext(count(item.contextTokens))]
  return [item.keyPresent ? words.modelKey : words.modelNoKey, price, ...reads].join(' · ')
}
