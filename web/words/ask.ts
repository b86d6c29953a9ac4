/** Words of the panel in which a person asks Banyan about itself. */
import { plural } from './words.ts'

export const ask = {
  title: 'Ask Banyan',
  open: 'Ask Banyan a question',
  keywords: 'question status what is going on cancel pause resume help',
  entry: (words: string) => `Ask: ${words}`,
  entryGroup: 'Ask Banyan',
  box: 'Your question, or what is to become of a goal',
  placeholder: 'What is going on?',
  send: 'Ask',
  again: 'New conversation',
  fresh: 'Ask how things stand, or say what is to become of a goal.',
  freshMore: 'It answers from what is recorded here, and does to your goals only what you say. These work without a model too:',
  examples: ['What is going on?', 'How is the newest goal?', 'Start a goal: Run `date`'],
  earlier: 'Earlier',
  count: (n: number) => plural(n, { one: '# question', other: '# questions' }),
  conversation: 'Conversation',
  loading: 'Reading the conversation…',
  failed: 'The conversation could not be read',
  notSent: (why: string) => `It was not asked. ${why}`,
  working: 'Looking…',
  waitsForYou: 'This waits for you in the review queue.',
  toQueue: 'Open the queue',
  noAnswer: 'It ended without an answer.',
  details: 'How it came to this',
  which: 'Which one do you mean?',
  /** What a goal is shown for, beside its title. */
  acts: {
    look: 'told of',
    cancel: 'stopped',
    pause: 'paused',
    resume: 'goes on',
    steer: 'was told',
    start: 'begun',
  },
  wrapping: 'wraps up and stops',
  /** Asked for one of several goals; understood without a model. */
  repeat: {
    look: (id: string) => `status of ${id}`,
    cancel: (id: string) => `cancel ${id}`,
    pause: (id: string) => `pause ${id}`,
    resume: (id: string) => `resume ${id}`,
  },
  choose: { look: 'Tell me of', cancel: 'Cancel', pause: 'Pause', resume: 'Resume', steer: 'Look at', start: 'Look at' },
  undo: { cancel: 'Let it go on', pause: 'Resume it', resume: 'Pause it', start: 'Cancel it' },
  undone: { cancel: 'It goes on.', pause: 'It goes on.', resume: 'It is paused.', start: 'It stops.' },
} as const
