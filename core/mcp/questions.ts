/** Review items as questions to the person at an MCP client, and their replies as decisions. */
import { mustAllow, type Principal } from '../auth/principal.ts'
import { Fault } from '../contract/fault.ts'
import { DECISIONS_OF, Decision, type Review } from '../contract/review.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { cut } from './shapes.ts'
import type { Question, Reply } from './surface.ts'

/** Characters of an action that a form shows; the rest is in the review item. */
const SHOWN = 1_500
const SIGN = '#'

/** The key binds the reply to what was shown: an item whose action changed is another question. */
export const questionKey = (review: Pick<Review, 'id' | 'actionHash'>): string => `${review.id}${SIGN}${review.actionHash}`
const reviewOf = (key: string): { id: string; actionHash: string } | null => {
  const at = key.lastIndexOf(SIGN)
  return at < 1 ? null : { id: key.slice(0, at), actionHash: key.slice(at + 1) }
}

export function questionOf(review: Review): Question {
  const lines = [review.title]
  if (review.reason !== null) lines.push(`Why it asks: ${review.reason}`)
  if (review.kind !== 'question' && review.action !== null) lines.push(`Action: ${cut(JSON.stringify(review.action), SHOWN)}`)
  const message = lines.join('\n')
  if (review.kind === 'question')
    return {
      key: questionKey(review),
      message,
      form: { type: 'object', properties: { answer: { type: 'string', title: 'Answer', minLength: 1 } }, required: ['answer'] },
    }
  return {
    key: questionKey(review),
    message,
    form: {
      type: 'object',
      properties: {
        decision: { type: 'string', title: 'Decision', enum: [...DECISIONS_OF[review.kind]] },
        comment: { type: 'string', title: 'Comment' },
      },
      required: ['decision'],
    },
  }
}

/** Decides what was accepted, in the name of `by`; answers the keys of what was turned down. An item that somebody decided first is passed over. */
export async function takeReplies(tasks: Tasks, replies: ReadonlyMap<string, Reply>, by: Principal): Promise<string[]> {
  const turnedDown: string[] = []
  for (const [key, reply] of replies) {
    const asked = reviewOf(key)
    if (asked === null) continue
    if (reply.action !== 'accept') {
      turnedDown.push(key)
      continue
    }
    mustAllow(by, 'review:decide')
    const { answer, decision, comment } = reply.content
    const said = answer === undefined ? { decision, comment } : { decision: 'answer', comment: answer }
    const parsed = Decision.safeParse({ ...said, ...(said.comment === undefined ? { comment: '' } : {}), actionHash: asked.actionHash })
    if (!parsed.success) throw new Fault('invalid', 'The reply is no decision: give `decision` and, if you like, `comment`.')
    const { comment: words, ...rest } = parsed.data
    try {
      await tasks.decide(asked.id, { ...rest, ...(words ? { comment: words } : {}) }, by.name)
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'conflict') throw error
    }
  }
  return turnedDown
}
