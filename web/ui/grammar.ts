/** Colours and checks of a language. Each is fetched by itself, after the text is there: Markdown brings HTML, CSS and JavaScript along. */
import { type Diagnostic, linter } from '@codemirror/lint'
import { Compartment, type Extension } from '@codemirror/state'
import type { EditorView } from '@codemirror/view'
import type { Language } from './code-editor.tsx'

const GRAMMARS: Record<Language, () => Promise<Extension>> = {
  json: async () => {
    const { json, jsonParseLinter } = await import('@codemirror/lang-json')
    const broken = jsonParseLinter()
    const judge = (view: EditorView): readonly Diagnostic[] => (view.state.doc.toString().trim() === '' ? [] : broken(view))
    return [json(), linter((view) => (view.state.readOnly ? [] : judge(view)))]
  },
  yaml: async () => (await import('@codemirror/lang-yaml')).yaml(),
  markdown: async () => (await import('@codemirror/lang-markdown')).markdown(),
  text: async () => [],
}

/** The place of a language among an editor's extensions, and what fills it. Without its file the text can be edited all the same. */
export function grammar(language: Language): { place: Extension; fill: (view: EditorView) => void } {
  const compartment = new Compartment()
  return {
    place: compartment.of([]),
    fill: (view) => {
      void GRAMMARS[language]()
        .then((extension) => view.dispatch({ effects: compartment.reconfigure(extension) }))
        .catch((error: unknown) => console.warn('The colours of this text could not be loaded.', error))
    },
  }
}
