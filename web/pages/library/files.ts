/** Two versions of an entry as files that can be compared: its long text, and its settings a line each. Those that are alike are left out. */
import type { FileDiff } from '../../ui/diff-view.tsx'
import { library } from '../../words/library.ts'
import type { Body, Kind } from './entries.ts'
import { longText, settingsText } from './merge.ts'

/** `before`: null shows the whole version. */
export function filesOf<K extends Kind>(kind: K, before: Body<K> | null, after: Body<K>): FileDiff[] {
  const text = longText(kind, after)
  const all: FileDiff[] = [
    ...(text === null
      ? []
      : [
          {
            path: kind === 'agent' ? library.instructionFile : library.contentFile,
            before: before && longText(kind, before),
            after: text,
            language: 'markdown' as const,
          },
        ]),
    { path: library.settingsFile, before: before && settingsText(kind, before), after: settingsText(kind, after), language: 'yaml' },
  ]
  return all.filter((file) => file.before !== file.after)
}
