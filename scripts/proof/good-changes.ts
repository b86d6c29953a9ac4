// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are code
/** Real changes of this source that the proof "good" lets an agent make: what a model would write at each step, written by a person. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SCHEMA } from '../../core/store/migrate.ts'

export type GoodChange = {
  name: string
  /** What a person types. */
  goal: string
  kind: 'feature' | 'fix' | 'refactor' | 'docs'
  title: string
  why: string
  evidence: string
  effect: string
  /** Exact pieces of files, as edit_file takes them. */
  edits: readonly { path: string; from: string; to: string }[]
  /** Files that are new. */
  files: readonly { path: string; text: string }[]
  /** The gate that must refuse it. Absent: it must be kept. */
  refusedBy?: string
}

const ROOT = dirname(dirname(import.meta.dirname))
const lines = (...all: string[]): string => `${all.join('\n')}\n`

/** A change of the schema, numbered after those that are there. `column`: a new one of change_gates. */
function migration(name: string, up: string, down: string, column = '') {
  const number = SCHEMA + 1
  const file = `${String(number).padStart(4, '0')}-${name}`
  const word = name.replace(/-(.)/g, (_, first: string) => first.toUpperCase())
  const list = readFileSync(join(ROOT, 'core/store/migration-list.ts'), 'utf8')
  const [lastImport] = list.match(/^import \* as .*\n(?=\n)/m)!
  const [lastName] = list.match(/^ {2}\w+,\n\]/m)!
  return {
    edits: [
      { path: 'core/store/migration-list.ts', from: lastImport, to: `${lastImport}import * as ${word} from './migrations/${file}.ts'\n` },
      { path: 'core/store/migration-list.ts', from: lastName, to: lastName.replace(']', `  ${word},\n]`) },
      ...(column === ''
        ? []
        : [
            { path: 'core/store/tables.ts', from: GATE_TIME, to: `${GATE_TIME}    ${column}: number | null\n` },
            { path: 'core/store/store.suite.ts', from: GATE_COLUMNS, to: GATE_COLUMNS.replace(']', `, '${column}']`) },
          ]),
    ],
    files: [
      {
        path: `core/store/migrations/${file}.ts`,
        text: lines(
          "import type { Kysely } from 'kysely'",
          '',
          `export const number = ${number}`,
          'export const oldestCode = 1',
          '',
          'export async function up(db: Kysely<unknown>): Promise<void> {',
          `  ${up}`,
          '}',
          '',
          'export async function down(db: Kysely<unknown>): Promise<void> {',
          `  ${down}`,
          '}',
        ),
      },
    ],
  }
}
const GATE_TIME = '    digest: string\n    ms: number\n'
const GATE_COLUMNS = "  change_gates: ['change_id', 'round', 'n', 'name', 'verdict', 'summary', 'log', 'digest', 'ms', 'at']"

export const GOOD_CHANGES: readonly GoodChange[] = [
  {
    name: 'selector',
    goal: 'The agent selector is told that review_agent is only for examining. Tell it that a wish to change Banyan itself goes to review_agent too.',
    kind: 'docs',
    title: 'The selector knows who changes Banyan itself',
    why: 'Its instruction allowed review_agent only for examining, while the registry of agents names it for changes of the system. With a wish such as "add a flag to banyan tree" it had to choose between two texts.',
    evidence: 'The first goal that was driven by hand: both readings were possible.',
    effect: 'A wish about commands, tools, pages or agents of Banyan goes to review_agent, which has the tools for it.',
    edits: [
      {
        path: 'seeds/agents/agent_selector.md',
        from: '`supervisor` and `review_agent` only if the goal itself asks to examine a task, a problem or the system.',
        to: '`supervisor` only if the goal itself asks to examine a task; `review_agent` if it asks to examine a problem of this system, or to change it: its commands, tools, page, agents or documents.',
      },
      {
        path: 'seeds/agents/agent_selector.md',
        from: 'Example. Goal: "Delete the old reports".',
        to: 'Example. Goal: "Add a --json flag to `banyan tree`". `banyan` is this system itself. → `review_agent`, handover.\nExample. Goal: "Delete the old reports".',
      },
    ],
    files: [],
  },
  {
    name: 'tree-depth',
    goal: 'Add a `--depth N` option to `banyan tree`, so that a goal with hundreds of tasks fits on a screen',
    kind: 'feature',
    title: 'banyan tree --depth N draws only so many levels and counts the tasks below',
    why: 'A goal with hundreds of tasks does not fit on a screen. Folding by rows exists only for --watch; a person who looks once needs a way to see the upper levels.',
    evidence: "The person's goal, word for word.",
    effect: 'banyan tree --depth 1 prints the goal and its direct subtasks; each line tells how many tasks lie below it.',
    edits: [
      {
        path: 'scripts/cli/draw.ts',
        from: '  /** Lines there are;',
        to: '  /** Levels below the root that are drawn; what is deeper is counted. Absent: all. */\n  depth?: number\n  /** Lines there are;',
      },
      {
        path: 'scripts/cli/draw.ts',
        from: 'function lay(node: Node, head: string, rest: string, fold: boolean, lines: Line[]): Line[] {\n  const folded = fold && node.over && node.children.length > 0\n',
        to: 'function lay(node: Node, head: string, rest: string, fold: boolean, depth: number, lines: Line[]): Line[] {\n  const folded = node.children.length > 0 && (depth <= 0 || (fold && node.over))\n',
      },
      { path: 'scripts/cli/draw.ts', from: "'│  '}`, fold, lines)", to: "'│  '}`, fold, depth - 1, lines)" },
      {
        path: 'scripts/cli/draw.ts',
        from: 'tasks: readonly Task[], { paint, width, rows = Number.POSITIVE_INFINITY }: Drawing): string[] {\n',
        to: 'tasks: readonly Task[], drawing: Drawing): string[] {\n  const { paint, width, rows = Number.POSITIVE_INFINITY, depth = Number.POSITIVE_INFINITY } = drawing\n',
      },
      { path: 'scripts/cli/draw.ts', from: "lay(tree, '', '', false, [])", to: "lay(tree, '', '', false, depth, [])" },
      { path: 'scripts/cli/draw.ts', from: "lay(tree, '', '', true, [])", to: "lay(tree, '', '', true, depth, [])" },
      {
        path: 'scripts/cli/draw.test.ts',
        from: "test('notes tell why",
        to: "test('with a depth only the levels above it are drawn, and what is below is counted', () => {\n  const tasks = [task('g'), task('g.1'), task('g.1.1', { parentId: 'g.1' }), task('g.1.1.1', { parentId: 'g.1.1' }), task('g.2')]\n  const drawn = (depth: number) => drawTree('g', tasks, { paint, width: 120, depth })\n  expect(drawn(1)).toHaveLength(3)\n  expect(drawn(1)[1]).toContain('+2')\n  expect(drawn(0)).toHaveLength(1)\n  expect(drawn(0)[0]).toContain('+4')\n  expect(drawn(3)).toEqual(drawTree('g', tasks, { paint, width: 120 }))\n})\n\ntest('notes tell why",
      },
      {
        path: 'scripts/cli/look.ts',
        from: "'draw it again at every change until it is over')\n      .action(async (given: string | undefined, options: { watch?: boolean }, command",
        to: "'draw it again at every change until it is over')\n      .option('-d, --depth <n>', 'draw so many levels below the goal; deeper tasks are counted', whole(0, 100))\n      .action(async (given: string | undefined, options: { watch?: boolean; depth?: number }, command",
      },
      {
        path: 'scripts/cli/look.ts',
        from: '        const asJson = wantsJson(command)\n        if (options.watch) {',
        to: '        const asJson = wantsJson(command)\n        const depth = options.depth === undefined ? {} : { depth: options.depth }\n        if (options.watch) {',
      },
      {
        path: 'scripts/cli/look.ts',
        from: '            untilStuck: false,\n            ...(asJson',
        to: '            untilStuck: false,\n            ...depth,\n            ...(asJson',
      },
      {
        path: 'scripts/cli/look.ts',
        from: 'const drawing = { paint: terminal.outPaint, width: terminal.width(process.stdout) }',
        to: 'const drawing = { paint: terminal.outPaint, width: terminal.width(process.stdout), ...depth }',
      },
      {
        path: 'scripts/cli/look.ts',
        from: "    'banyan tree --watch',\n",
        to: "    'banyan tree --watch',\n    'banyan tree 0k3f --depth 1',\n",
      },
      { path: 'scripts/cli/watch.ts', from: 'untilStuck: boolean; each?:', to: 'untilStuck: boolean; depth?: number; each?:' },
      {
        path: 'scripts/cli/watch.ts',
        from: 'rows: screen.rows() - notes.length - 1 })',
        to: 'rows: screen.rows() - notes.length - 1, ...depth })',
      },
      {
        path: 'scripts/cli/watch.ts',
        from: '  const running = new Set<string>()\n',
        to: '  const depth = how.depth === undefined ? {} : { depth: how.depth }\n  const running = new Set<string>()\n',
      },
    ],
    files: [],
  },
  {
    name: 'waiting-words',
    goal: '`banyan tree` says "2 items of it waits for you", and `banyan mcp add` says "1 tool wait for you". Mend both.',
    kind: 'fix',
    title: 'One item waits and several wait, in every line of the command line',
    why: 'Number and verb did not agree, because the verb stood outside of what counts. Both places now ask one function.',
    evidence: 'The words of the person; the two lines are in scripts/cli/look.ts and scripts/cli/mcp-servers.ts.',
    effect: 'banyan tree prints "2 items of it wait for you", banyan mcp add prints "1 tool waits for you".',
    edits: [
      {
        path: 'scripts/cli/words.ts',
        from: '/** "12 s", "5 min", "3 h", "2 d". */',
        to: '/** "1 item of it waits for you", "2 items wait for you". */\nexport const waitFor = (n: number, noun: string, of = \'\'): string => `${counted(n, noun)}${of} ${n === 1 ? \'waits\' : \'wait\'} for you`\n\n/** "12 s", "5 min", "3 h", "2 d". */',
      },
      {
        path: 'scripts/cli/look.ts',
        from: "`${counted(reviews.length, 'item')} of it waits for you: ${terminal.banyan} review ls`",
        to: "`${waitFor(reviews.length, 'item', ' of it')}: ${terminal.banyan} review ls`",
      },
      { path: 'scripts/cli/look.ts', from: "table } from './words.ts'", to: "table, waitFor } from './words.ts'" },
      {
        path: 'scripts/cli/mcp-servers.ts',
        from: "`${counted(made.tools.pending, 'tool')} wait for you: ${banyan} mcp approve ${name}`",
        to: "`${waitFor(made.tools.pending, 'tool')}: ${banyan} mcp approve ${name}`",
      },
      { path: 'scripts/cli/mcp-servers.ts', from: "quoted, table } from './words.ts'", to: "quoted, table, waitFor } from './words.ts'" },
    ],
    files: [
      {
        path: 'scripts/cli/waiting-words.test.ts',
        text: lines(
          "import { expect, test } from 'vitest'",
          "import { waitFor } from './words.ts'",
          '',
          "test('one waits, several wait', () => {",
          "  expect(waitFor(1, 'item', ' of it')).toBe('1 item of it waits for you')",
          "  expect(waitFor(2, 'item', ' of it')).toBe('2 items of it wait for you')",
          "  expect(waitFor(1, 'tool')).toBe('1 tool waits for you')",
          '})',
        ),
      },
    ],
  },
  {
    name: 'find-documents',
    goal: 'Agents should be able to ask list_documents for the documents that fit some words, not read the whole list each time',
    kind: 'feature',
    title: 'list_documents takes words and answers the documents that fit them best',
    why: 'Documents grow with every goal, and the whole list is read into a prompt each time. list_optional_tools finds by words already; the same ranking serves here.',
    evidence: "The person's goal.",
    effect: 'list_documents with "query" answers at most ten lines, the best first; without it everything is as before.',
    edits: [
      {
        path: 'tools/list_documents.ts',
        from: "import * as z from 'zod'\n",
        to: "import * as z from 'zod'\nimport { ranked } from '../core/contract/rank.ts'\n",
      },
      {
        path: 'tools/list_documents.ts',
        from: '\nexport default',
        to: '\n/** With words: so many, the best first. */\nconst BEST = 10\n\nexport default',
      },
      {
        path: 'tools/list_documents.ts',
        from: 'before you search elsewhere or ask.`',
        to: 'before you search elsewhere or ask. With "query" only those come that fit its words, the best first.`',
      },
      {
        path: 'tools/list_documents.ts',
        from: "  input: z.object({}),\n  async run(_, { registry }) {\n    const documents = (await registry.list('document')).filter((document) => document.enabled)\n",
        to: "  input: z.object({ query: z.string().max(2_000).optional().describe('What you want to know, in a few words.') }),\n  async run({ query }, { registry }) {\n    const all = (await registry.list('document')).filter((document) => document.enabled)\n    const documents = query?.trim() ? ranked(query, all, BEST) : all\n    if (all.length > 0 && documents.length === 0)\n      return answer(`None of the ${all.length} documents fits these words; try others, or leave them out.`)\n",
      },
      {
        path: 'tools/registry-tools.test.ts',
        from: "  test('of optional tools leave out the core",
        to: "  test('of documents that fit some words leave out the others, and say so when none fits', async () => {\n    const document = (name: string, description: string) => ({ ...Document.parse({ name, description, content: 'x' }), ...stamp })\n    rows.document = [document('harvest', 'When apples are picked.'), document('taxes', 'What is paid in May.')]\n    expect((await use(listDocuments, { query: 'paid in May' })).text).toBe(\n      'Documents: 1\\n- taxes: What is paid in May. (version 1, 1 characters)',\n    )\n    expect((await use(listDocuments, { query: 'zebra' })).text).toBe(\n      'None of the 2 documents fits these words; try others, or leave them out.',\n    )\n  })\n\n  test('of optional tools leave out the core",
      },
    ],
    files: [],
  },
  {
    name: 'guide',
    goal: 'Write a page for people: how to ask Banyan to change itself, what happens then, and how to take it back',
    kind: 'docs',
    title: 'A page tells people how Banyan changes itself and how they decide about it',
    why: 'The README has one line on it, and the decisions tell why it is built so, not how to use it.',
    evidence: "The person's goal.",
    effect: 'docs/changing-itself.md answers what to type, what to look at, and what to do when it went wrong.',
    edits: [
      {
        path: 'README.md',
        from: ', and [how it changes without breaking](docs/decisions/0014-keeper.md).',
        to: ', [how it changes without breaking](docs/decisions/0014-keeper.md), and [how you let it change itself](docs/changing-itself.md).',
      },
    ],
    files: [
      {
        path: 'docs/changing-itself.md',
        text: lines(
          '# Changing Banyan through Banyan',
          '',
          'Type a wish as a goal: `npx banyan goal "Add a --json flag to banyan tree"`. It needs a model and bubblewrap; `npx banyan change status` says whether code can be changed here, and why not.',
          '',
          '## What happens',
          '1. An agent gets a copy of the source, changes it there, and hands it in with a reason.',
          '2. The gates judge exactly those files: protected paths, tests left alone, secrets, layers, lint, types, tests. Minutes, and without network. What they refuse goes back to the agent with the reason.',
          '3. You are asked, unless the change is of a level that you let pass. `npx banyan change show ID` has the reason, the files and the gates; `change diff ID` the whole text.',
          '4. `change approve ID` lets it land on the main branch. Your uncommitted work is never touched: if the checkout is not clean, or on another branch, the change waits on `banyan/main`, and the command that joins them is shown.',
          '5. Banyan restarts with it. Tasks go on. For ten minutes the keeper watches; if it crashes, hangs or lies about its health, the revision from before is back within seconds, and the agent is told why.',
          '',
          '## Your words',
          '| You want | Say |',
          '|---|---|',
          '| it otherwise | `change changes ID --comment "…"`: the agent goes on in the same folder |',
          '| it not at all | `change reject ID --comment "…"` |',
          '| it gone after it was kept | `change rollback ID` |',
          '| fewer questions | `change status --autonomy texts`, `tools` or `code` |',
          '',
          'Dependencies, grants, limits, models and existing tests always ask you. The gates, the keeper, the policy and the sandbox are changed by you alone, in the checkout.',
          '',
          'Why it is built so: [the keeper](decisions/0014-keeper.md), [changes of itself](decisions/0015-changes-of-itself.md).',
        ),
      },
    ],
  },
  {
    name: 'review-kind',
    goal: 'Let me list only questions, or only changes of Banyan, with `banyan review ls --kind`',
    kind: 'feature',
    title: 'banyan review ls --kind lists items of one kind',
    why: 'A queue of many permissions hides the one question. The kind is shown in each line, but cannot be asked for.',
    evidence: "The person's goal.",
    effect: 'banyan review ls --kind question prints questions only; an unknown kind is refused with the list of kinds.',
    edits: [
      {
        path: 'scripts/cli/review.ts',
        from: "import { DECISIONS_OF, type Decision, type DecisionWord, type Review } from '../../core/contract/review.ts'",
        to: "import { DECISIONS_OF, type Decision, type DecisionWord, REVIEW_KINDS, type Review, type ReviewKind } from '../../core/contract/review.ts'",
      },
      {
        path: 'scripts/cli/review.ts',
        from: "'snoozed', 'all']).default('open'))\n      .action(async (options: { state: 'open' | 'decided' | 'snoozed' | 'all' }, command: Command) => {\n        const items = await all(serverOf(cli, command), 'reviews', { query: { state: options.state, limit: '200' } })\n",
        to: "'snoozed', 'all']).default('open'))\n      .addOption(new Option('--kind <kind>', 'only items of this kind').choices(REVIEW_KINDS))\n      .action(async (options: { state: 'open' | 'decided' | 'snoozed' | 'all'; kind?: ReviewKind }, command: Command) => {\n        const found = await all(serverOf(cli, command), 'reviews', { query: { state: options.state, limit: '200' } })\n        const items = options.kind === undefined ? found : found.filter((item) => item.kind === options.kind)\n",
      },
      {
        path: 'scripts/cli/review.ts',
        from: "    'banyan review ls --state decided --json',\n",
        to: "    'banyan review ls --state decided --json',\n    'banyan review ls --kind question',\n",
      },
    ],
    files: [
      {
        path: 'scripts/cli/review-kind.test.ts',
        text: lines(
          '/** `banyan review ls --kind`, against a running engine. */',
          "import { afterAll, beforeAll, expect, test } from 'vitest'",
          "import { type Bench, openBench } from './fixture/banyan.ts'",
          '',
          'let bench: Bench',
          'beforeAll(async () => {',
          '  bench = openBench()',
          '  await bench.engine()',
          '})',
          'afterAll(() => bench.remove())',
          '',
          "test('items of one kind are listed without the others, and an unknown kind is refused with those that there are', async () => {",
          "  expect((await bench.run(['goal', '--wait', 'Which colour suits the door?'])).code).toBe(6)",
          "  const listed = async (kind: string) => (await bench.run(['review', 'ls', '--kind', kind])).out",
          "  expect(await listed('question')).toContain('question')",
          "  expect(await listed('self_change')).toBe('')",
          "  const { code, err } = await bench.run(['review', 'ls', '--kind', 'colour'])",
          '  expect(code).toBe(2)',
          "  expect(err).toContain('self_change')",
          '}, 120_000)',
        ),
      },
    ],
  },
  {
    name: 'foot',
    goal: 'The last line below a drawn tree is written twice, in look.ts and in watch.ts. Write it once.',
    kind: 'refactor',
    title: 'The line below a drawn tree is written in one place',
    why: 'The same words stood in two files; a change of one would have been forgotten in the other.',
    evidence: 'scripts/cli/look.ts and scripts/cli/watch.ts.',
    effect: 'Nothing that is printed changes.',
    edits: [
      {
        path: 'scripts/cli/draw.ts',
        from: "import { money, oneLine } from './words.ts'",
        to: "import { counted, money, oneLine, spent } from './words.ts'",
      },
      {
        path: 'scripts/cli/draw.ts',
        from: 'function grow(root: Task,',
        to: "/** The line below a tree: how many tasks, what they cost, and what holds the goal. */\nexport const footOf = (tasks: readonly Task[], held: string | null): string =>\n  `${counted(tasks.length, 'task')}, ${spent(total(tasks))}${held === null ? '' : `; held: ${oneLine(held)}`}`\n\nfunction grow(root: Task,",
      },
      {
        path: 'scripts/cli/look.ts',
        from: "        terminal.out(\n          terminal.outPaint(\n            'dim',\n            `${counted(tree.tasks.length, 'task')}, ${spent(total(tree.tasks))}${tree.pausedReason ? `; held: ${oneLine(tree.pausedReason)}` : ''}`,\n          ),\n        )\n",
        to: "        terminal.out(terminal.outPaint('dim', footOf(tree.tasks, tree.pausedReason)))\n",
      },
      { path: 'scripts/cli/look.ts', from: 'import { drawTree, notesOf, total }', to: 'import { drawTree, footOf, notesOf }' },
      {
        path: 'scripts/cli/watch.ts',
        from: "      const head = view.trees[treeId]\n      const line = `${counted(tasks.length, 'task')}, ${spent(total(tasks))}${head?.pausedReason ? `; held: ${oneLine(head.pausedReason)}` : ''}`\n",
        to: '      const line = footOf(tasks, view.trees[treeId]?.pausedReason ?? null)\n',
      },
      { path: 'scripts/cli/watch.ts', from: 'import { drawTree, notesOf, total }', to: 'import { drawTree, footOf, notesOf }' },
      {
        path: 'scripts/cli/watch.ts',
        from: 'import { counted, decisionCommands, oneLine, plain, quoted, spent }',
        to: 'import { decisionCommands, oneLine, plain, quoted }',
      },
    ],
    files: [],
  },
  {
    name: 'label-test',
    goal: 'No test holds the words that people read for the states of a task. Write one.',
    kind: 'refactor',
    title: 'A test holds the words that people read for each state of a task',
    why: 'core/contract/label.ts is the only place that turns a state into words, and nothing noticed when two states read alike.',
    evidence: 'There is no core/contract/label.test.ts.',
    effect: 'A new state without words of its own fails the test.',
    edits: [],
    files: [
      {
        path: 'core/contract/label.test.ts',
        text: lines(
          "import { expect, test } from 'vitest'",
          "import { labelOf } from './label.ts'",
          "import { TASK_STATUSES, type Task } from './task.ts'",
          '',
          "const label = (status: Task['status'], reason: Task['reason'] = null, attempt = 0) => labelOf({ status, reason, attempt })",
          '',
          "test('every state has a word and a shape', () => {",
          '  for (const status of TASK_STATUSES) {',
          '    const { word, shape } = label(status)',
          '    expect(word, status).toMatch(/^[a-z]/)',
          '    expect([...shape], status).toHaveLength(1)',
          '  }',
          '})',
          '',
          "test('only what waits for a person has the tone that calls one', () => {",
          "  expect(label('waiting', 'review').tone).toBe('you')",
          "  expect(label('paused', 'budget').tone).toBe('you')",
          "  for (const reason of ['children', 'quota', 'timer', 'closing', 'external'] as const) expect(label('waiting', reason).tone).toBe('wait')",
          '})',
          '',
          "test('ends that differ read differently', () => {",
          '  const ends = [',
          "    label('done'),",
          "    label('failed'),",
          "    label('failed', 'deadline'),",
          "    label('cancelled', 'stopped'),",
          "    label('cancelled', 'dependency_failed'),",
          '  ]',
          '  expect(new Set(ends.map(({ word }) => word)).size).toBe(ends.length)',
          "  expect(label('pending', null, 1).word).not.toBe(label('pending').word)",
          '})',
        ),
      },
    ],
  },
  {
    name: 'home-words',
    goal: 'On the first page, "1 failed" after I was away does not say what failed. Say "1 goal failed".',
    kind: 'feature',
    title: 'The first page says how many goals failed, not only how many',
    why: 'When nothing finished, the line began with "1 failed", and one had to guess that it counts goals.',
    evidence: 'The words of the person.',
    effect: 'The line reads "1 goal failed" or "2 goals failed".',
    edits: [
      {
        path: 'web/words/home.ts',
        from: "plural(n, { other: '# failed' })",
        to: "plural(n, { one: '# goal failed', other: '# goals failed' })",
      },
    ],
    files: [],
  },
  {
    name: 'read-source',
    goal: 'read_source should say first which lines it shows and how many the file has, as read_file does',
    kind: 'feature',
    title: 'read_source says first which lines it shows and how many there are',
    why: 'Without it an agent cannot tell whether it saw the end of a file, and reads once more to be sure.',
    evidence: "The person's goal; read_file begins with such a line.",
    effect: 'The first line of an answer is such as "core/agent/prompt.ts, lines 1 to 27 of 27".',
    edits: [
      {
        path: 'tools/read_source.ts',
        from: "      return answer(`${shown.join('\\n')}${left > 0 ? `\\n… ${left} more lines; go on with \"from_line\": ${from_line + shown.length}` : ''}`)\n",
        to: "      const head = `${path}, lines ${from_line} to ${from_line - 1 + shown.length} of ${all.length}`\n      if (shown.length === 0) return answer(`${path} has only ${all.length} lines.`)\n      return answer(\n        `${head}\\n${shown.join('\\n')}${left > 0 ? `\\n… ${left} more lines; go on with \"from_line\": ${from_line + shown.length}` : ''}`,\n      )\n",
      },
      {
        path: 'tools/read_source.ts',
        from: "const all = found.text.split('\\n')",
        to: "const all = found.text.replace(/\\n$/, '').split('\\n')",
      },
    ],
    files: [
      {
        path: 'tools/source-tools.test.ts',
        text: lines(
          "import { expect, test } from 'vitest'",
          "import type { Call, Capabilities } from '../core/tool.ts'",
          "import readSource from './read_source.ts'",
          '',
          "const source = (text: string) => ({ self: { read: async () => ({ kind: 'file', text }) } }) as unknown as Capabilities",
          'const read = async (text: string, raw: object = {}) => {',
          "  const outcome = await readSource.call({ path: 'a.ts', ...raw }, { id: 'c1', attempt: 1 } as Call, source(text))",
          "  return outcome.kind === 'answer' ? outcome.text : outcome.kind",
          '}',
          '',
          "test('a file of the source comes with the lines that are shown and how many there are', async () => {",
          "  expect(await read('one\\ntwo\\n')).toBe('a.ts, lines 1 to 2 of 2\\none\\ntwo')",
          "  expect(await read('one\\ntwo\\nthree\\n', { from_line: 2, lines: 1 })).toBe(",
          '    \'a.ts, lines 2 to 2 of 3\\ntwo\\n… 1 more lines; go on with "from_line": 3\',',
          '  )',
          "  expect(await read('one\\n', { from_line: 9 })).toBe('a.ts has only 1 lines.')",
          '})',
        ),
      },
    ],
  },
  // The migrations that must be refused come first: a kept one takes the number.
  {
    name: 'migration-drops',
    goal: 'The digest of a gate is read by nobody any more. Take the column out of the database.',
    kind: 'refactor',
    title: 'Gates keep no digest',
    why: 'The words of the person.',
    evidence: 'The words of the person.',
    effect: 'change_gates has no column "digest" any more.',
    ...migration(
      'no-digest',
      "await db.schema.alterTable('change_gates').dropColumn('digest').execute()",
      "await db.schema.alterTable('change_gates').addColumn('digest', 'text').execute()",
    ),
    refusedBy: 'migrations',
  },
  {
    name: 'migration-breaks',
    goal: 'A task should have one open item in the review queue at most. Let the database hold that.',
    kind: 'feature',
    title: 'The database holds one review item a task',
    why: 'The words of the person. The index only adds, so it seems harmless; the code of before opens several items of a task one after another.',
    evidence: 'The words of the person.',
    effect: 'A second review item of a task is refused by the database.',
    ...migration(
      'one-item',
      "await db.schema.createIndex('reviews_one_item').on('reviews').column('task_id').unique().execute()",
      "await db.schema.dropIndex('reviews_one_item').execute()",
    ),
    refusedBy: 'migration trial',
  },
  {
    name: 'migration-adds',
    goal: 'Make room in the database for what each gate of a change used of the processors, beside how long it took.',
    kind: 'feature',
    title: 'A gate can keep what it used of the processors',
    why: 'The words of the person. Time alone says little on a machine that does much else.',
    evidence: 'The words of the person.',
    effect: 'change_gates has a column "cpu_ms", which is empty so far.',
    ...migration(
      'gate-cpu',
      "await db.schema.alterTable('change_gates').addColumn('cpu_ms', 'integer').execute()",
      "await db.schema.alterTable('change_gates').dropColumn('cpu_ms').execute()",
      'cpu_ms',
    ),
  },
]
