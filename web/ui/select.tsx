/** One of a few. For many, `Combobox`, in which one types. */
import { getNonce } from 'get-nonce'
import { Check, ChevronDown } from 'lucide-react'
import { Select as Primitive } from 'radix-ui'
import { kit } from '../words/kit.ts'

export type Option = { value: string; label: string; hint?: string; disabled?: boolean }

/** `id` ties it to the label of its `Field`; without a field, `label` names it. */
export function Select(props: {
  id?: string
  label?: string
  value: string
  options: readonly Option[]
  choose: (value: string) => void
  disabled?: boolean
}) {
  return (
    <Primitive.Root value={props.value} onValueChange={props.choose} disabled={props.disabled ?? false}>
      <Primitive.Trigger className="select" id={props.id} aria-label={props.label}>
        <Primitive.Value placeholder={kit.choose} />
        <Primitive.Icon asChild>
          <ChevronDown aria-hidden="true" />
        </Primitive.Icon>
      </Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content className="menu select-menu" position="popper" sideOffset={4} collisionPadding={8}>
          <Primitive.Viewport nonce={getNonce()}>
            {props.options.map((option) => (
              <Primitive.Item key={option.value} className="menu-item" value={option.value}>
                <span className="grow">
                  <Primitive.ItemText>{option.label}</Primitive.ItemText>
                  {option.hint && <span className="dim menu-hint">{option.hint}</span>}
                </span>
                <Primitive.ItemIndicator>
                  <Check aria-hidden="true" />
                </Primitive.ItemIndicator>
              </Primitive.Item>
            ))}
          </Primitive.Viewport>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
