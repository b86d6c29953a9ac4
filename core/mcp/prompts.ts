/** Ready-made requests that a person picks in an MCP client. */
import { isOver } from '../contract/task.ts'
import type { Doors } from './operator-tools.ts'
import { beginning } from './resources.ts'
import { reviewShape, reviewText, taskShape, taskText } from './shapes.ts'
import type { Prompt } from './surface.ts'

export function operatorPrompts({ tasks, registry }: Doors): Prompt[] {
  return [
    {
      name: 'plan_goal',
      title: 'Plan a goal',
      description: 'Turns a wish into a goal that Banyan can carry out, and starts it when you agree',
      arguments: [
        { name: 'wish', description: 'What you want', required: true },
        { name: 'agent', description: 'The agent that is to begin', required: false },
      ],
      async text({ wish = '', agent }) {
        const agents = (await registry.list('agent')).filter((one) => one.enabled).map((one) => `- ${one.name}: ${one.description}`)
        return [
          `I want this done by Banyan: ${wish}`,
          'Write it as a goal: what is to exist at the end, how one can check it, and what must not be touched. A numbered list becomes one subtask a line; a line of the form "Run `command`" runs that command; "Then …" makes a line wait for the one before.',
          agent ? `The agent ${agent} is to begin.` : `These agents can begin:\n${agents.join('\n')}`,
          'Show me the goal. When I agree, call start_goal, then wait_task until it is over, and tell me the result and what it cost.',
        ].join('\n\n')
      },
      complete: async (name, value) =>
        name === 'agent'
          ? beginning(
              (await registry.list('agent')).map((one) => one.name),
              value,
            )
          : [],
    },
    {
      name: 'ask',
      title: 'Ask Banyan',
      description: 'How things stand, or what is to become of a goal, in your own words',
      arguments: [{ name: 'words', description: 'For example: what is going on? cancel the report goal', required: true }],
      text: async ({ words = '' }) =>
        `Call start_goal of Banyan with agent "interface" and exactly these words as goal, then wait_task until it is over, and tell me its answer: ${words}\n\nIf it names several goals, ask me which, and give it my answer the same way with \`conversation\` set to the id of the first.`,
      complete: async () => [],
    },
    {
      name: 'review_item',
      title: 'Look at a review item',
      description: 'Explains what an agent asks, so that you can decide',
      arguments: [{ name: 'review_id', description: 'Id of the item', required: true }],
      async text({ review_id = '' }) {
        const review = await tasks.review(review_id)
        const task = taskShape(await tasks.task(review.taskId))
        return [
          'An agent of Banyan asks this:',
          reviewText(reviewShape(review)),
          `It works on:\n${taskText(task)}`,
          'Tell me in plain words what would happen if I approve, what could go wrong, and what you advise. Do not decide for me: call decide_review only with the words that I give you.',
        ].join('\n\n')
      },
      complete: async (name, value) =>
        name === 'review_id'
          ? beginning(
              (await tasks.reviews({ state: 'open', limit: 100 })).items.map((one) => one.id),
              value,
            )
          : [],
    },
    {
      name: 'explain_failure',
      title: 'Explain a failure',
      description: 'Finds out why a goal did not succeed, and what to do',
      arguments: [{ name: 'goal_id', description: 'Id of the goal', required: true }],
      async text({ goal_id = '' }) {
        const tree = await tasks.tree(goal_id)
        const bad = tree.tasks.filter((task) => isOver(task.status) && task.status !== 'done').slice(0, 20)
        return [
          `The goal ${goal_id} of Banyan is ${tree.status}: ${tree.goal}`,
          bad.length > 0
            ? `These tasks did not succeed:\n${bad.map((task) => taskText(taskShape(task, 2_000))).join('\n')}`
            : 'No task of it failed.',
          'Read their histories with get_task. Tell me the first cause in one sentence, then what to do: retry (control_task), steer, or a new goal. Do nothing before I agree.',
        ].join('\n\n')
      },
      complete: async (name, value) =>
        name === 'goal_id'
          ? beginning(
              (await tasks.trees({ failed: true, limit: 100 })).items.map((one) => one.id),
              value,
            )
          : [],
    },
  ]
}
