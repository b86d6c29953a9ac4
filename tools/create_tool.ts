import { Draft } from '../core/contract/made-tool.ts'
import { defineTool, faultAsMistake } from '../core/tool.ts'

const shape = Draft.shape

export default defineTool({
  name: 'create_tool',
  description: `Makes a new tool out of code that you write, tests it, and puts it into use while the system runs. From your next turn on you can call it by its name; a helper hands it to the task that asked with "tools" of end_task. Look with list_optional_tools first: what exists is not made again. Saving under a name of this goal's own makes a new version.

- "source": one file of TypeScript (types are only taken away: no enum, no namespace), modules of Node only ("node:crypto"). Default export: async (input, { workspace }) => output. The output is a JSON value or a text. Refuse bad input with throw new Error("one sentence that says what is wrong and what to write instead"): whoever calls reads exactly that.
- "tests": for node:test. Begin with: import test from 'node:test'; import assert from 'node:assert/strict'; import tool from './tool.ts'. Check real results, edges, and with assert.rejects at least one error. Tests that a tool which does nothing would pass too are refused.
- "permission": pure (its input only), read_workspace or write_workspace (files of the calling task's folder too, below ctx.workspace). There is no network and no other program for any of them. In tests of the latter two, process.cwd() is an empty folder to put files in and to give as workspace.
- Schemas are JSON Schema 2020-12 without $ref. The input schema has "type": "object".
- Failing tests come back with what went wrong and nothing is saved: mend it and call again. A tool that writes, or takes the place of one that a person approved, waits for a person.

Every call runs in a process of its own: 20 s, 256 MB.`,
  permission: 'self',
  effect: 'keyed',
  needs: ['made'],
  input: Draft.extend({
    name: shape.name.describe('A verb and what it is about, such as "count_words".'),
    description: shape.description.describe('For the model that will call it: what it does, what comes back, when it refuses.'),
    input_schema: shape.input_schema.describe('{"type":"object","properties":{…},"required":[…],"additionalProperties":false}'),
    output_schema: shape.output_schema.describe('Of what it returns. Left out: any JSON value.'),
    source: shape.source.describe('The whole file.'),
    tests: shape.tests.describe('The whole test file.'),
    permission: shape.permission.describe('The least that it needs.'),
  }),
  permit: (draft, { made, task }) => {
    const why = made.asks(draft)
    if (why === null) return 'allow'
    return {
      ask: {
        title: `Put the tool ${draft.name} into use: ${why} ("${task.title}")`,
        action: { tool: 'create_tool', ...draft },
        risk: 'medium',
      },
    }
  },
  facts: (draft, { made }) => (made.asks(draft) === null ? {} : { reviewed: true }),
  preview: (draft, { made }) => made.preview(draft),
  async run(draft, { made }) {
    try {
      await made.make(draft)
      return { kind: 'later' }
    } catch (error) {
      return faultAsMistake(error)
    }
  },
})
