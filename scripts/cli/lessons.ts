/** `banyan lessons`: what was learnt from the history of calls, tried before and after, and a person's word on it. */
import type { Command } from 'commander'
import type { ResponseOf } from '../../core/contract/api.ts'
import { lessonLabelOf } from '../../core/contract/label.ts'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { all, call, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { duration, oneLine, plain, table } from './words.ts'

type Lesson = ResponseOf<'lesson'>

const LOOK_MS = 1_000

async function find(server: Server, given: string, banyan: string): Promise<Lesson> {
  const found = (await all(server, 'lessons', {})).filter((item) => item.id === given || item.id.startsWith(`ls_${given}`))
  if (found.length === 1) return found[0]!
  throw new Ended(
    EXIT.failed,
    found.length > 1
      ? `${plain(given)} could be ${found.length} lessons; write more of the id.`
      : `There is no lesson ${plain(given)}; see them with: ${banyan} lessons ls`,
  )
}

function effectOf({ change }: Lesson): string {
  if (change.kind === 'limit') return `commands of ${plain(change.limit.program)} get ${change.limit.seconds} s where they name no limit`
  if (change.kind === 'repeat')
    return `a command that a person wrote, and that fails so, is run again up to ${change.repeat.times} times, ${change.repeat.waitMs} ms apart`
  const { target, text } = change.words
  return `this paragraph stands at the end of the ${target.kind === 'agent' ? 'instruction of the agent' : 'document'} ${plain(target.name)}:\n  ${plain(text)}\n  Nobody knows yet whether it helps`
}

function show(lesson: Lesson, banyan: string): string[] {
  const { judgement } = lesson
  const rows = (judgement?.before ?? []).map((was) => {
    const is = judgement?.after.find((one) => one.goal === was.goal)
    const arm = (one: typeof was | undefined) =>
      one ? `${one.done} of ${one.tries}${one.medianMs === null ? '' : `, ${(one.medianMs / 1_000).toFixed(1)} s`}` : ''
    return [plain(was.goal), arm(was), arm(is)]
  })
  const next: Record<Lesson['state'], string> = {
    found: `Try it on the built-in goals: ${banyan} lessons judge ${lesson.id}`,
    untested: `Read it, then: ${banyan} lessons keep ${lesson.id}, or decline; or try it with the live model: ${banyan} lessons judge ${lesson.id} --dollars 2`,
    judging: 'It is being tried now.',
    better: `Let it take effect: ${banyan} lessons keep ${lesson.id}`,
    no_better: `Try it again: ${banyan} lessons judge ${lesson.id}; or put it away: ${banyan} lessons decline ${lesson.id}`,
    kept: `Take it back: ${banyan} lessons undo ${lesson.id}`,
    declined: 'More cases bring it back.',
    undone: 'It has no effect any more.',
  }
  return [
    `${plain(lesson.id)}  ${lessonLabelOf(lesson.state).word}  ${oneLine(lesson.title, 400)}`,
    `Effect: ${effectOf(lesson)}.`,
    `Why: ${oneLine(lesson.why, 400)}`,
    ...(lesson.change.kind === 'words'
      ? ['Cases:', ...lesson.cases.map((one) => `  ${plain(one.taskId)}  ${oneLine(one.words ?? '', 200)}`)]
      : [`Cases: ${lesson.cases.map((one) => plain(one.taskId)).join(', ')}`]),
    ...(judgement ? ['', ...table([['goal', 'before', 'after'], ...rows]), judgement.words] : []),
    ...(lesson.version === null ? [] : [`It made version ${lesson.version} of ${plain(lesson.tool)}.`]),
    '',
    next[lesson.state],
  ]
}

export function addLessons(program: Command, cli: Cli): void {
  const { terminal } = cli
  const lessons = program
    .command('lessons')
    .summary('what was learnt from the history: look, list, judge, keep, undo')
    .description(
      'What the history teaches: errors that pass by themselves, time limits that are too short; these are tried on built-in goals without and with the lesson, and only one that is better beyond chance can be kept. Also words for instructions and documents, drafted from what evaluators, people and tools said several times; they are untested, and a person keeps or declines them.',
    )
  const id = ['<id>', 'id of the lesson, or the beginning of it'] as const

  examples(
    lessons
      .command('ls')
      .description('Lists lessons, newest first.')
      .action(async (_: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'lessons', {})
        if (wantsJson(command)) return terminal.document({ items })
        if (items.length === 0)
          return terminal.say('Nothing was learnt yet. It takes three cases in two goals; it is looked for every hour.')
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.id),
              lessonLabelOf(item.state).word,
              duration(Date.now() - Date.parse(item.createdAt)),
              oneLine(item.title, 160),
            ]),
          ),
        )
      }),
    'banyan lessons ls',
  )
  examples(
    lessons
      .command('look')
      .description('Looks through the newest calls now.')
      .action(async (_: object, command: Command) => {
        const said = await call(serverOf(cli, command), 'lookForLessons', {})
        if (wantsJson(command)) return terminal.document(said)
        terminal.say(`Looked through ${said.runs} commands; new lessons: ${said.found}.`)
      }),
    'banyan lessons look',
  )
  examples(
    lessons
      .command('show')
      .description('Shows a lesson: the cases, what it would change, how both arms did, and what a person can do now.')
      .argument(...id)
      .action(async (given: string, _: object, command: Command) => {
        const lesson = await find(serverOf(cli, command), given, terminal.banyan)
        if (wantsJson(command)) return terminal.document(lesson)
        terminal.out(...show(lesson, terminal.banyan))
      }),
    'banyan lessons show 4c1f',
  )
  examples(
    lessons
      .command('judge')
      .description(
        'Tries the built-in goals without and with the lesson, in a system of its own; words: past tasks, with the live model, for at most --dollars. Takes minutes.',
      )
      .argument(...id)
      .option('--no-wait', 'do not wait for the outcome')
      .option('--dollars <n>', 'what trying words with a live model may cost')
      .action(async (given: string, options: { wait: boolean; dollars?: string }, command: Command) => {
        const server = serverOf(cli, command)
        let lesson = await find(server, given, terminal.banyan)
        lesson = await call(server, 'judgeLesson', {
          params: { id: lesson.id },
          body: options.dollars === undefined ? {} : { dollars: Number(options.dollars) },
        })
        if (options.wait && !wantsJson(command)) terminal.say('Trying goals without and with it; this takes minutes.')
        while (options.wait && lesson.state === 'judging') {
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
          lesson = await call(server, 'lesson', { params: { id: lesson.id } })
        }
        if (wantsJson(command)) return terminal.document(lesson)
        terminal.out(...show(lesson, terminal.banyan))
      }),
    'banyan lessons judge 4c1f',
  )
  for (const [word, route, about] of [
    ['keep', 'keepLesson', 'Lets a lesson take effect that was judged better, or words that you have read.'],
    ['decline', 'declineLesson', 'Puts a lesson away; only more cases bring it back.'],
    ['undo', 'undoLesson', 'Takes a kept lesson back.'],
  ] as const)
    examples(
      lessons
        .command(word)
        .description(about)
        .argument(...id)
        .action(async (given: string, _: object, command: Command) => {
          const server = serverOf(cli, command)
          const { id: of } = await find(server, given, terminal.banyan)
          const lesson = await call(server, route, { params: { id: of } })
          if (wantsJson(command)) return terminal.document(lesson)
          terminal.out(...show(lesson, terminal.banyan))
        }),
      `banyan lessons ${word} 4c1f`,
    )
}
