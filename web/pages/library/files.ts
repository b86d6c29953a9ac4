/** Two versions of an entry as files that can be compared: its long text, and its settings a line each. Those that are alike are left out. */
import type { MadeTool } from '../../../core/contract/made-tool.ts'
import type { FileDiff } from '../../ui/diff-view.tsx'
import { library } from '../../words/library.ts'
import type { Body, Kind } from './entries.ts'
import { longText, settingsText } from './merge.ts'

/** What a tool that an agent made consists of, as the files that it runs from; empty for any other entry. */
export function partsOf(body: object): Record<string, string> {
  const { made } = body as { made?: MadeTool | undefined }
  if (!made) return {}
  return {
    [library.made.sourceFile]: made.source,
    [library.made.testsFile]: made.tests,
    [library.made.inputFile]: JSON.stringify(made.inputSchema, null, 2),
    ...(made.outputSchema ? { [library.made.outputFile]: JSON.stringify(made.outputSchema, null, 2) } : {}),
  }
}

/** `before`: null shows the whole version. */
export function filesOf<K extends Kind>(kind: K, before: Body<K> | null, after: Body<K>): FileDiff[] {
  const text = longText(kind, after)
  const made = partsOf(after)
  const old = before && partsOf(before)
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
    ...Object.entries(made).map(([path, words]) => ({
      path,
      before: old && (old[path] ?? ''),
      after: words,
      language: path.endsWith('.json') ? ('json' as const) : ('text' as const),
    })),
    { path: library.settingsFile, before: before && settingsText(kind, before), after: settingsText(kind, after), language: 'yaml' },
  ]
  return all.filter((file) => file.before !== file.after)
}
