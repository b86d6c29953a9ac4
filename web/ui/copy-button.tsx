/** Puts a text on the clipboard and says so. */
import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useToast } from '../toasts.ts'
import { kit } from '../words/kit.ts'
import { IconButton } from './icon-button.tsx'

const SHOWN_MS = 2_000

export function CopyButton({ text, label = kit.copy }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false)
  const toast = useToast()
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    try {
      // Missing where the page is served over plain HTTP from another machine.
      if (!navigator.clipboard) throw new Error(kit.notCopied)
      await navigator.clipboard.writeText(text)
      setCopied(true)
    } catch {
      toast(kit.notCopied, { tone: 'bad' }) // denied by the browser or the person: the text can still be selected
    }
  }
  return <IconButton icon={copied ? Check : Copy} label={copied ? kit.copied : label} onClick={() => void copy()} />
}
