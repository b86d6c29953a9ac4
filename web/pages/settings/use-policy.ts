/** The policy as a form: what is saved, what is changed here, and saving it only over what was read. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { SystemPolicy } from '../../../core/contract/api-settings.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { settings } from '../../words/settings.ts'

export function usePolicy() {
  const read = useRead(ROUTES.policy)
  const save = useWrite(ROUTES.savePolicy, [ROUTES.policy, ROUTES.policyVersions, ROUTES.system])
  const toast = useToast()
  /** The change, and the version that it was begun on. */
  const [draft, setDraft] = useState<{ policy: SystemPolicy; on: number } | null>(null)
  const saved = read.data
  const version = draft?.on ?? saved?.version ?? 0
  const policy = draft?.policy ?? saved?.policy
  return {
    read,
    policy,
    changed: draft !== null && JSON.stringify(draft.policy) !== JSON.stringify(saved?.policy),
    /** Somebody saved after this change was begun. */
    conflict: draft !== null && saved !== undefined && saved.version !== draft.on,
    saving: save.isPending,
    fault: save.error?.message ?? null,
    change(part: Partial<SystemPolicy>): void {
      if (policy) setDraft({ policy: { ...policy, ...part }, on: version })
    },
    discard(): void {
      setDraft(null)
      save.reset()
      void read.refetch()
    },
    save(): void {
      if (!draft) return
      save.mutate(
        { body: draft.policy, headers: { 'if-match': `"${draft.on}"` } },
        {
          onSuccess() {
            setDraft(null)
            toast(settings.saved, { tone: 'good' })
          },
          // A newer version may be why; it is read, so that the form can say so.
          onError: () => void read.refetch(),
        },
      )
    },
  }
}
export type PolicyForm = ReturnType<typeof usePolicy>
