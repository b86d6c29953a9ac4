/** Work as a person would give it, for pictures and for tests of all pages: goals in every state, questions that are open, a registry with history. */
import type { Instance } from './instance.ts'

type Summary = { status: string; counts: Partial<Record<string, number>>; needsYou: number; taskCount: number }
/** Ids of the goals, by what each shows. */
export type SampleWork = Record<keyof typeof GOALS, string> & { askingTask: string; permission: string }

const GOALS = {
  inventory: { example: 'inventory', goal: 'Make an inventory of the folder `.`' },
  machine: {
    goal: [
      'Describe this machine in machine.md:',
      '',
      '1. Run `mkdir -p facts && uname -s > facts/system.txt && cat facts/system.txt`',
      "2. Then run `{ echo '# This machine'; echo; sed 's/^/- /' facts/system.txt; } > machine.md && cat machine.md`",
      '3. Run `test -d facts && echo "the facts are there"` (retry 2)',
    ].join('\n'),
  },
  newsletter: {
    goal: [
      'Prepare the April newsletter of the garden club',
      '',
      '1. Run `mkdir -p april && echo "Seeds, soil and the first warm days" > april/title.txt && cat april/title.txt`',
      '2. Run `test -f photos/greenhouse.jpg`',
      '3. Then run `cp photos/greenhouse.jpg april/cover.jpg`',
      '4. Which of the two drafts should open the newsletter: the one about seeds or the one about soil?',
      '5. Run `wc -w april/title.txt; sleep 900`',
    ].join('\n'),
  },
  neighbour: {
    goal: 'A neighbour’s cat sleeps in our greenhouse and breaks the seedlings. Write the three friendly sentences with which I should ask them for help.',
  },
  backup: { goal: 'Copy the photos to the backup disk\n\n1. Run `rsync --archive photos/ /mnt/backup/photos/`\n2. Then run `ls photos`' },
  steps: { goal: 'Tidy the downloads folder\n\n1. Run `ls`\n2. Run `du -sh .`', mode: 'step' },
  plan: { goal: 'Sort the seed box\n\n1. Run `ls`\n2. Then run `du -sh .`\n3. Which packets are too old to sow?', plan: true },
  broken: { goal: 'Run `test -f invoices/2026-03.csv`' },
} as const

/** When each goal shows what it is there for. `{}` of a word that is not told means none. */
const SHOWS: Record<keyof typeof GOALS, (goal: Summary) => boolean> = {
  inventory: ({ status }) => status === 'done',
  machine: ({ status }) => status === 'done',
  newsletter: ({ counts, needsYou }) => needsYou === 1 && counts.done === 1 && counts.active === 1 && counts.failed !== undefined,
  neighbour: ({ needsYou }) => needsYou === 1,
  backup: ({ needsYou }) => needsYou === 1,
  steps: ({ status }) => status === 'paused',
  plan: ({ needsYou }) => needsYou === 1,
  broken: ({ status }) => status === 'failed',
}

/** Gives all goals and resolves when each shows its state; throws after `patience` milliseconds, naming the one that does not. */
export async function giveSampleWork({ url, token }: Pick<Instance, 'url' | 'token'>, patience = 90_000): Promise<SampleWork> {
  const call = async <T>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<T> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  await call('/api/rules', { verdict: 'ask', scope: 'program', signature: 'rsync' })
  const names = Object.keys(GOALS) as (keyof typeof GOALS)[]
  const ids = {} as Record<keyof typeof GOALS, string>
  const until = Date.now() + patience
  for (const name of names) {
    ids[name] = (await call<{ treeId: string }>('/api/goals', GOALS[name])).treeId
    for (;;) {
      const goal = await call<Summary>(`/api/trees/${ids[name]}`)
      if (SHOWS[name](goal)) break
      if (Date.now() > until) throw new Error(`the goal "${name}" does not come to its state: ${JSON.stringify(goal).slice(0, 600)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const { items } = await call<{ items: { id: string; treeId: string; taskId: string }[] }>('/api/reviews?state=open')
  const of = (treeId: string) => items.find((item) => item.treeId === treeId)!
  await call('/api/agents', {
    name: 'newsletter_editor',
    description: 'Writes and checks the texts of the garden club’s newsletter.',
    instruction:
      'You write for people who garden at weekends. Short sentences, one thought each.\n\nBefore you end, read the text aloud in your head.',
    tools: ['read_file', 'write_file'],
  })
  await call('/api/documents', {
    name: 'house_style',
    description: 'How our texts are written: read it before writing anything for members.',
    content:
      '# House style\n\n- Say *you*, not *one*.\n- Plants have their common name first, the Latin one in brackets.\n- No exclamation marks.\n',
  })
  return { ...ids, askingTask: of(ids.newsletter).taskId, permission: of(ids.backup).id }
}
