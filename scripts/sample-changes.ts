/**
 * Changes of Banyan by Banyan, for pictures and for tests of the pages that show them: a real agent, real gates, a small checkout in place of
 * the whole source. Only the keeper is played, by the files that it writes: a real one starts a whole engine for each change.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Change } from '../core/contract/change.ts'
import type { Instance } from './instance.ts'
import { goalOf } from './testing/asking-model.ts'
import { type Checkout, checkout } from './testing/checkout.ts'

/** Who makes them. Its model is one that calls what its goal says. */
export const MAKER = {
  name: 'improver',
  description: 'Changes Banyan itself.',
  instruction: 'You change Banyan itself.',
  tools: ['propose_change', 'write_file', 'change_status'],
}
export const GREETING = 'core/contract/greeting.ts'

type Proposal = { title: string; why: string; evidence?: string; effect?: string; kind?: string }
/** A goal whose agent writes these files and hands them in. */
export const changeGoal = (title: string, files: Readonly<Record<string, string>>, proposal: Proposal): string =>
  goalOf(
    title,
    'I make it.',
    { tool: 'propose_change', input: { step: 'begin' } },
    ...Object.entries(files).map(([path, content]) => ({ tool: 'write_file', input: { path: `banyan/${path}`, content } })),
    { tool: 'propose_change', input: { step: 'submit', kind: 'feature', ...proposal } },
  )

/** A checkout with a few more files than its gates need. */
export function sampleCheckout(): Checkout {
  const source = checkout()
  source.write('core/contract/farewell.ts', "/** What is said last. */\nexport const farewell = (): string => 'Bye'\n")
  source.commit('A word at the end')
  return source
}

/** What the keeper would write for the one that runs; see scripts/keeper/README.md. */
export function playedKeeper(dataDir: string, source: Checkout) {
  const home = join(dataDir, 'keeper')
  mkdirSync(home, { recursive: true })
  const slotOf = (commit: string, state: string, changeId: string | null) => ({
    commit,
    tree: source.git('rev-parse', `${commit}^{tree}`),
    state,
    source: changeId === null ? 'checkout' : 'change',
    changeId,
  })
  let first = slotOf(source.git('rev-parse', 'HEAD'), 'kept', null)
  const events: object[] = []
  let [slots, active, good]: [object, string, string] = [{}, 'A', 'A']
  const put = () =>
    writeFileSync(
      join(home, 'slots.json'),
      JSON.stringify({
        version: 2,
        active,
        good,
        safe: false,
        lastRequest: null,
        failed: {},
        slots: { A: first, B: null, golden: first, ...slots },
        events,
      }),
    )
  put()
  return {
    request: () => JSON.parse(readFileSync(join(home, 'request.json'), 'utf8')) as { changeId: string; commit: string; tree: string },
    /** As if it had happened `seconds` ago. */
    tell(type: string, change: { id: string; tree: string | null; commit: string | null }, reason: string | null = null, seconds = 0) {
      const at = new Date(Date.now() - seconds * 1_000).toISOString()
      events.push({ seq: events.length + 1, at, type, slot: 'B', tree: change.tree, commit: change.commit, changeId: change.id, reason })
      put()
    },
    /** A person has started what the checkout holds now. */
    started() {
      first = slotOf(source.git('rev-parse', 'HEAD'), 'kept', null)
      ;[slots, active, good] = [{}, 'A', 'A']
      put()
    },
    /** The change is in slot B and active. */
    runs(change: { id: string; commit: string | null }, state: 'trial' | 'kept') {
      ;[slots, active, good] = [{ B: slotOf(change.commit!, state, change.id) }, 'B', state === 'kept' ? 'B' : 'A']
      put()
    },
  }
}

export function changesOf({ url, token }: Pick<Instance, 'url' | 'token'>, patience = 240_000) {
  const call = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  const ofGoal = async (treeId: string): Promise<Change | undefined> =>
    (await call<{ items: Change[] }>(`/api/changes?treeId=${treeId}`)).items[0]
  return {
    call,
    begin: () => call('/api/agents', MAKER),
    give: async (goal: string): Promise<string> => (await call<{ treeId: string }>('/api/goals', { goal, agent: MAKER.name })).treeId,
    /** The change of a goal, as soon as it is so. Looks again until then: an engine may be gone in between. */
    async until(treeId: string, ...states: Change['state'][]): Promise<Change> {
      for (const end = Date.now() + patience; ; ) {
        const found = await ofGoal(treeId).catch(() => undefined) // it restarts
        if (found && states.includes(found.state)) return found
        if (Date.now() > end) throw new Error(`the change of ${treeId} does not become ${states.join(' or ')}: ${JSON.stringify(found)}`)
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
    },
    ofGoal,
  }
}

const LOUD = [
  '/** What is said first. */',
  "export const greeting = (name: string): string => ['Hello', name].join(', ')",
  '/** The same, for the far end of the room. */',
  "export const loud = (name: string): string => greeting(name).concat('!')",
  '',
].join('\n')

/** One that was refused, one that is kept, one that waits for a person; answers the id of the kept one and of the item that waits. */
export async function giveSampleChanges(instance: Instance, source: Checkout): Promise<{ kept: string; review: string }> {
  const keeper = playedKeeper(instance.dataDir, source)
  const changes = changesOf(instance)
  await changes.begin()
  const refused = await changes.give(
    changeGoal(
      'Nobody should have to wait for an approval',
      { 'core/policy/policy.ts': '/** Who may. */\nexport const may = (): boolean => true\n' },
      { title: 'Everybody may do everything', why: 'Approvals take time.' },
    ),
  )
  await changes.until(refused, 'refused')
  const goal = await changes.give(
    changeGoal(
      'Add a greeting that is heard at the far end of the room',
      { [GREETING]: LOUD },
      {
        title: 'Greets louder',
        why: 'People at the far end of the room did not hear it:\n\n- three complaints in a week\n- `greeting` has no way to say it louder',
        evidence: 'Two tasks of the garden club failed because of it.',
        effect: 'No complaint in the next week.',
      },
    ),
  )
  const asked = await changes.until(goal, 'review')
  const { actionHash } = await changes.call<{ actionHash: string }>(`/api/reviews/${asked.reviewId}`)
  await changes.call(`/api/reviews/${asked.reviewId}/decision`, { decision: 'approve', actionHash })
  await instance.ended()
  const change = { ...asked, ...keeper.request(), id: asked.id }
  for (const type of ['boot', 'ready', 'kept']) keeper.tell(type, change)
  keeper.runs(change, 'kept')
  await instance.restart()
  await changes.until(goal, 'kept')
  const other = await changes.give(
    changeGoal(
      'Say goodbye in whole words',
      { 'core/contract/farewell.ts': "/** What is said last. */\nexport const farewell = (): string => 'Goodbye, and thank you'\n" },
      { title: 'Says a whole goodbye', why: 'It was so short that people waited for more.' },
    ),
  )
  const waits = await changes.until(other, 'review')
  return { kept: change.id, review: waits.reviewId ?? '' }
}
